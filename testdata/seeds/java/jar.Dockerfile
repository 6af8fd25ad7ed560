# The jar that the Dockerfile adds: mybuild build -f jar.Dockerfile -o build/lib .
# Debian's headless runtime has the compiler's modules, only not the commands.
FROM java:8 AS compile
WORKDIR /work
COPY src src
RUN java -m jdk.compiler/com.sun.tools.javac.Main -d classes src/Seed.java
RUN java -m jdk.jartool/sun.tools.jar.Main --create --file seed-1.0.jar --main-class Seed -C classes .

FROM scratch
COPY --from=compile /work/*.jar /
