# program: /usr/lib/postgresql/*/bin/postgres
# package: postgresql
# user: postgres
# runs: /usr/bin/dash /usr/bin/cp
bin=$(dirname "$(readlink -f "$PROGRAM")"); export PATH="$bin:$PATH" PGHOST="$PWD" PGPORT="$PORT1" PGUSER=postgres PGDATABASE=postgres
initdb -D data -A trust -U postgres >/dev/null
mkdir archive
start -D data -k "$PWD" -p "$PORT1" -h 127.0.0.1 -c logging_collector=on -c archive_mode=on -c archive_command="cp %p $PWD/archive/%f" -c max_parallel_workers_per_gather=2 -c min_parallel_table_scan_size=0 -c parallel_setup_cost=0 -c fsync=on -c autovacuum_naptime=1 -c wal_level=logical
await psql -c 'select 1'
pgbench -i -s 1 -q 2>/dev/null; pgbench -c 4 -j 2 -t 20 >/dev/null 2>&1; pgbench -h 127.0.0.1 -c 2 -t 5 -S >/dev/null 2>&1
psql -q -v ON_ERROR_STOP=1 <<'END'
create table big as select generate_series(1, 200000) a; create index on big(a); analyze; vacuum full big;
set work_mem='64kB'; select count(*) from (select * from big order by -a) x; select count(*) from big x join big y using (a);
copy big to '/dev/null'; select pg_switch_wal(); checkpoint;
END
psql -q <<'END' >/dev/null || [ $? = 2 ]
create tablespace t location '/nothing'; copy big to program 'true'; select pg_read_file('postgresql.conf'); listen c; notify c; select pg_sleep(0.1); select pg_reload_conf(); create database d; drop database d; select * from pg_stat_activity; create extension plpgsql; do $$ begin perform 1/0; exception when others then null; end $$; select now(), random(), txid_current(); select pg_advisory_lock(1); create unlogged table u(a int); prepare transaction 'x'; select pg_create_physical_replication_slot('s'); select pg_terminate_backend(pg_backend_pid());
END
pg_dump >dump; pg_basebackup -D backup -X stream -c fast
signal INT; finish
fails p -D nothing
p --single -D data -O postgres </dev/null >/dev/null; p --version | grep -q PostgreSQL
