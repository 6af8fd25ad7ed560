# SPDX-License-Identifier: Apache-2.0
# Sourced by cache_hostile.sh: what a cache can say that is not so, and what is said of it.
tries=0
zeros=sha256:$(printf '0%.0s' $(seq 64))
spoilt "jq -c '.layers[].changes = \"$zeros\"'" && try 'is not used any more: .*is not what it is said to be'
spoilt "jq -c '.layers[0].diff_id = \"$zeros\"'" && try 'is not used any more: .*unpack layer'
spoilt "jq -c '.layers[].blob.size = 7'" && try 'is not used any more: '
spoilt "jq -c '.layers[].blob.mediaType = \"application/x-none\"'" && try 'is not used any more: .*media type'
spoilt "jq -c '.layers |= [.[0] + {blob: .[1].blob}, .[1] + {blob: .[0].blob}]'" && try 'is not used any more: .*unpack layer'
spoilt && rm bad/blobs/sha256/"$(manifest_of bad | jq -r '.layers[0].digest[7:]')" && try 'is not used any more: '
spoilt && for blob in $(manifest_of bad | jq -r '.layers[].digest[7:]'); do head -c 5000 /dev/zero >bad/blobs/sha256/"$blob"; done
try 'is not used any more: '
# Documents that cannot be.
spoilt "jq -c '.layers[].blob.digest = \"$zeros\"'" && try 'importing cache manifest from bad: .*not in its manifest'
spoilt "jq -c '.records[].layer = 9'" && try 'importing cache manifest from bad: .*there is no layer 9'
spoilt "jq -c '.records[].layer = -1'" && try 'importing cache manifest from bad: '
spoilt "jq -c '.version = 2'" && try 'importing cache manifest from bad: .*version 2'
spoilt "jq -c '.layers[].size = -1'" && try 'importing cache manifest from bad: '
spoilt "jq -c '.layers[].diff_id = \"../x\"'" && try 'importing cache manifest from bad: '
spoilt 'printf {' && try 'importing cache manifest from bad: '
spoilt "printf '[%.0s' \$(seq 1000)" && try 'importing cache manifest from bad: '
spoilt '(head -c 70000000 /dev/zero | tr "\0" " "; cat)' && try 'importing cache manifest from bad: .*too large'
spoilt cat '.config.size = 3' && try 'importing cache manifest from bad: '
rm -rf bad && mkdir bad && try 'importing cache manifest from bad: '
rm -rf bad && try 'importing cache manifest from bad: '
mkdir bad && mkfifo bad/index.json && try 'importing cache manifest from bad: '
