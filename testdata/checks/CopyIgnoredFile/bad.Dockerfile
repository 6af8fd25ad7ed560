FROM scratch
COPY ignored.txt /
COPY ./ignored.txt dir/other /x/
ADD dir/other/below /
