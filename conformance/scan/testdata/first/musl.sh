# build: musl-gcc -O2 -Wall -Werror -o "$PROGRAM" programs/features.c
# package: musl-tools
# runs: /usr/bin/dash /usr/bin/true
p "$PORT1" | grep -q 'all done'
fails p
