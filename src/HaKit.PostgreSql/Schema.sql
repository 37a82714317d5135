-- HaKit batches, schema version 1. Run once, as the owner; running it again changes nothing.
create schema if not exists hakit;

create table if not exists hakit.schema_version (
    version    integer     not null primary key,
    applied_at timestamptz not null default now()
);

create table if not exists hakit.batch (
    batch_id   integer     not null generated always as identity primary key,
    name       text        not null unique,
    seal_salt  bytea       not null,
    seal_check bytea,                              -- null: payloads are not sealed
    created_at timestamptz not null default now()
);

create table if not exists hakit.batch_item (
    batch_id      integer          not null references hakit.batch on delete cascade,
    ordinal       bigint           not null generated always as identity,
    item_id       text             not null,
    input         bytea            not null,
    input_hash    bytea            not null,
    state         smallint         not null default 0,  -- 0 pending, 1 under way, 2 succeeded, 3 failed, 4 unknown
    fence         bigint           not null default 0,  -- grows with each claim: an outcome with an older number is refused
    lease_until   timestamptz,
    worker        text,
    must_not_repeat boolean        not null default false,
    reserved      double precision not null default 0,
    request       bytea,
    result        bytea,
    endpoint      text,
    error         text,
    attempts      integer          not null default 0,
    cost          double precision not null default 0,
    input_tokens  bigint           not null default 0,
    output_tokens bigint           not null default 0,
    finished_at   timestamptz,
    primary key (batch_id, ordinal),
    unique (batch_id, item_id)
);

-- Finished rows are not in it, so they cost a claim nothing. The claim spells its predicate out.
create index if not exists batch_item_open on hakit.batch_item (batch_id, ordinal) where state < 2;

-- What each worker counted; the sum over the workers is the truth. One row for all would be a queue for every commit.
create table if not exists hakit.batch_worker (
    batch_id  integer          not null references hakit.batch on delete cascade,
    worker    text             not null,
    added     bigint           not null default 0,
    succeeded bigint           not null default 0,
    failed    bigint           not null default 0,
    unknown   bigint           not null default 0,
    under_way bigint           not null default 0,
    calls     bigint           not null default 0,
    lost      bigint           not null default 0,
    spent     double precision not null default 0,
    reserved  double precision not null default 0,
    primary key (batch_id, worker)
);

insert into hakit.schema_version (version) values (1) on conflict do nothing;
