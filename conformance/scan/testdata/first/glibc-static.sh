# build: gcc -static -O2 -Wall -Werror -s -o "$PROGRAM" programs/features.c
# package: gcc libc6-dev
# runs: /usr/bin/dash /usr/bin/true
p "$PORT1" | grep -q 'all done'
fails p
