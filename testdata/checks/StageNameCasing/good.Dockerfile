FROM scratch AS base
FROM base AS two
