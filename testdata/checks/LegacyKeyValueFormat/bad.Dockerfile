FROM scratch
ENV key value
LABEL key some value
ENV a=b c=d
