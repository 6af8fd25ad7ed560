FROM scratch AS a
FROM a AS b
FROM b AS c
