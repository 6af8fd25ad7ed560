FROM busybox
ARG DIR_ASSETS=assets
COPY $DIR_ASSET $DIR_ASSET /x/
ENV PATH=$PAHT:/tmp/bin A=${missing:-default}
ARG WITH=$none
RUN --mount=type=cache,target=/c/$gone true
COPY <<END /x
$body
END
USER $who
WORKDIR /w$ere
VOLUME /v$olume
STOPSIGNAL ${sig:-TERM}
LABEL $key=$value
ADD --chown=$own file /y
ENV later=1
LABEL seen=$later
