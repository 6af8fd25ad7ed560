FROM scratch
ENV key=value
LABEL key=value other="a b"
