# program: /usr/bin/mboxgrep
# package: mboxgrep
printf 'From a@b Mon Nov 30 10:00:00 2026\nFrom: a@b\nSubject: needle\n\nbody\n\nFrom c@d Mon Nov 30 10:00:01 2026\nSubject: other\n\ntext\n' >box
p needle box | grep -q body; p -c text box; p -H -i NEEDLE box; p -E 'n(e|x)+dle' box; p -P 'need\w+' box || true; p -v needle box; mkdir -p dir/cur dir/new dir/tmp; printf 'Subject: needle\n\nx\n' >dir/cur/1; p -m maildir needle dir || true; gzip -k box; p -m zmbox needle box.gz || true; p -o out -w needle box || true; p needle <box; p -d needle box || true; p needle nothing || true; p || true; p -r needle . || true; p -l needle box || true
