# build: go build -o "$PROGRAM" ./programs/hello
p | grep -q hello
