FROM scratch
ENV PUBLIC_KEY=a MONKEY=b TOKEN_FILE=c KEYBOARD=d
ARG AUTH_MODULE_VERSION
RUN --mount=type=secret,id=token ["/x"]
