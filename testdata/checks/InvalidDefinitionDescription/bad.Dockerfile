# check=experimental=InvalidDefinitionDescription
# bar is the bar
ARG foo=bar
# BasE is the image
FROM scratch AS base
# no description
ARG version=latest
# no description
ARG foo=baz bar=qux
