# program: /usr/bin/sqlite3
# package: sqlite3
p db 'create table t(a integer primary key, b text)'
{ echo 'begin;'; seq 5000 | sed 's/.*/insert into t(b) values("text &");/'; echo 'commit;'; } | p db
p db 'select count(*) from t' | grep -q 5000
p db 'pragma journal_mode=wal; update t set b = upper(b); pragma wal_checkpoint; vacuum; pragma integrity_check' | grep -q ok
p db 'pragma mmap_size=100000000; select sum(a) from t; pragma journal_mode=truncate; delete from t where a < 100'
p db '.backup copy' '.dump' >dump.sql
p db '.schema' '.tables' '.databases' >/dev/null
p copy 'pragma locking_mode=exclusive; pragma synchronous=extra; insert into t(b) values("x")'
p other <dump.sql
p -csv -header db 'select * from t limit 3' >some.csv
p db '.import --csv some.csv u' '.output out' 'select * from u;' 2>/dev/null || true
p db 'attach "other" as o; insert into o.t select a+100000, b from t; pragma cache_size=10; create index i on t(b); select * from t order by b desc limit 1'
p db 'select readfile("some.csv"), writefile("written", "x"), random()' >/dev/null
p -readonly db 'insert into t(b) values("x")' && exit 1
fails p db 'select nothing'
fails p /nothing/db 'create table t(a)'
p :memory: '.timer on' 'with recursive c(n) as (select 1 union all select n+1 from c limit 100000) select sum(n) from c' >/dev/null
p db 'pragma temp_store=file; create temp table big as select hex(randomblob(1000)) x from t; select count(*) from big'
