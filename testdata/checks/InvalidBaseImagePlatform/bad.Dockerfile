FROM foreign AS a
FROM a
FROM --platform=$BUILDPLATFORM foreign
