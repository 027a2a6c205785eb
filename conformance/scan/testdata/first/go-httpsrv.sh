# build: go build -o "$PROGRAM" ./programs/httpsrv
echo file >file
p | grep -q 'all done'
