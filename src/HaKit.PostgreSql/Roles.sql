
-- Roles: hakit_owner owns the tables and may change them; hakit_worker runs batches and may change no table. Grant them to your logins.
do $$
begin
    if not exists (select from pg_roles where rolname = 'hakit_owner') then create role hakit_owner nologin; end if;
    if not exists (select from pg_roles where rolname = 'hakit_worker') then create role hakit_worker nologin; end if;
end
$$;
alter schema hakit owner to hakit_owner;
alter table hakit.schema_version owner to hakit_owner;
alter table hakit.batch owner to hakit_owner;
alter table hakit.batch_item owner to hakit_owner;
alter table hakit.batch_worker owner to hakit_owner;
grant usage on schema hakit to hakit_worker;
grant select on hakit.schema_version to hakit_worker;
grant select, insert, update on hakit.batch, hakit.batch_item, hakit.batch_worker to hakit_worker;
