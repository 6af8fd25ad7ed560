FROM scratch as a
FROM a As b
from b AS c
FROM c AS d
# the mixed verb is for another rule
From d as e
