FROM busybox
RUN echo \

  one
COPY <<END \

  /x
body

END
