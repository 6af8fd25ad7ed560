FROM busybox
RUN echo \
# a comment is fine
  one \
  two
