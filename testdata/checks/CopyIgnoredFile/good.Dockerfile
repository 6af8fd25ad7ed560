FROM busybox AS b
COPY kept.txt dir/kept /
COPY dir /d/
COPY . /all/
FROM busybox
COPY --from=b ignored.txt /
COPY <<ignored.txt /
ignored.txt
