FROM scratch AS Base
FROM base AS twoThree
