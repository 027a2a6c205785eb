# program: /usr/bin/jconv
# package: libjconv-bin
printf '\244\242\n' | p UTF-8 EUC-JP || true; printf 'text\n' | p SHIFT_JIS UTF-8 || true; p -v || true; printf '\343\201\202\n' >u; p ISO-2022-JP UTF-8 <u >/dev/null || true; p -o UTF-8 <u || true; p -c -i EUC-JP -o UTF-8 <u || true; p nothing || true; p -i NOTHING -o UTF-8 <u || true; p -h || true; seq 9999 | p -i ASCII -o EUC-JP >/dev/null || true
