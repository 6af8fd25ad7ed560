FROM busybox
RUN --mount=type=cache,target=/a true
FROM busybox
RUN --mount=type=cache,target=/a,uid=1000 true
RUN --mount=type=cache,id=/a,target=/b,mode=0700 true
