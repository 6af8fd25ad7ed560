FROM busybox AS base
ARG NAME=x
ENV DIR=/d PATH=$PATH:/opt
COPY a$NAME $DIR/
RUN echo $unset
CMD ["$unset"]
FROM base
LABEL n=$NAME s='$single' e=\$escaped
COPY <<'END' /raw
$unset
END
EXPOSE $unset
