FROM scratch
label a=b
Label c=d
ONBUILD label e=f
ENV x=y
COPY <<end /x
label
end
