arg GLOBAL=1
FROM scratch
LABEL a=b
