FROM busybox
COPY a b /dir
COPY <<one <<two /file
one
two
