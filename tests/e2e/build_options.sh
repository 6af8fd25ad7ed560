#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The options of mybuild build: no verb, -f, --build-arg, --label, --iidfile, --metadata-file, --no-cache, several -t.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
ARG who=default
RUN echo "$who" >/who; cat /proc/sys/kernel/random/uuid >/uuid
LABEL from=dockerfile
D
mv ctx/Dockerfile Other
"$MYBUILD" -f Other "${busybox[@]}" --build-arg who=arg --label from=flag --label more=1 -t one -t two:2 \
  --iidfile iid --metadata-file metadata ctx >stdout 2>log || fail "a build without a verb"
assert_file stdout ""
assert_equal "$(run one cat /who) $(run two:2 cat /who)" "arg arg" "--build-arg, -t"
assert_equal "$(jq -r '."containerimage.config.digest"' metadata)" "$(cat iid)" "--metadata-file and --iidfile"
[[ $(cat iid) =~ ^sha256:[0-9a-f]{64}$ ]] || fail "--iidfile: $(cat iid)"
build -f Other --label from=flag -o type=oci,dest=layout,tar=false ctx
assert_equal "$(config_of layout | jq -r .config.Labels.from)" flag "--label wins"
who=environment build -f Other --build-arg who -t three ctx
assert_equal "$(run three cat /who)" environment "--build-arg from the environment"

first=$(run three cat /uuid)
who=environment build -f Other --build-arg who -t three ctx
assert_equal "$(run three cat /uuid)" "$first" "cached"
who=environment build -f Other --build-arg who --no-cache -t three ctx
assert_step "RUN echo" DONE
[ "$(run three cat /uuid)" != "$first" ] || fail "--no-cache ran nothing"
