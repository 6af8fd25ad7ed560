# check=experimental=InvalidDefinitionDescription
# foo is the foo
ARG foo=bar

# base is the base image
FROM scratch AS base

# version is the version number
ARG version=latest

# baz is the baz
ARG foo=baz bar=qux baz=quux
# something else
COPY x .
FROM scratch
# a note about what follows
#
FROM scratch AS last
