FROM busybox
RUN --mount=type=cache,target=/a,uid=1 true
RUN --mount=type=cache,target=/b true
RUN --mount=type=cache,id=/a,target=/c,uid=1 true
