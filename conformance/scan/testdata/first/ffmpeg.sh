# program: /usr/bin/ffmpeg
# package: ffmpeg
f() { p -nostdin -hide_banner -loglevel error -y "$@"; }
f -f lavfi -i testsrc=duration=1:size=160x120:rate=10 -f lavfi -i sine=duration=1 -c:v libx264 -preset ultrafast -threads 2 -c:a aac out.mp4
f -i out.mp4 -vf scale=80:60,hflip -c:v mpeg4 out.avi
f -i out.mp4 -c copy -f mpegts "udp://127.0.0.1:$PORT1"
f -i out.mp4 -vn out.wav; f -i out.mp4 -frames:v 1 out.png; f -i out.mp4 -f hls -hls_time 1 list.m3u8
f -i "$HTTP/hello" out.null 2>/dev/null && exit 1
f -i nothing out.wav 2>/dev/null && exit 1
f -f lavfi -i color=duration=1:size=64x64 -c:v libvpx-vp9 -threads 2 -cpu-used 8 out.webm
f -re -f lavfi -i anullsrc=duration=0.3 -f null -
p -hide_banner -encoders >/dev/null; p -hide_banner -filters >/dev/null; p -hide_banner -devices >/dev/null 2>&1
start -nostdin -loglevel error -re -f lavfi -i testsrc=size=64x64 -f null -
sleep 1; signal INT; finish
(echo q; sleep 1) | p -hide_banner -loglevel error -re -f lavfi -i testsrc=duration=30:size=64x64 -f null - || true
