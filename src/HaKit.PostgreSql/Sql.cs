namespace HaKit.PostgreSql;

/// <summary>Contains the SQL statements. Every statement that changes a claimed item checks the item's fence.</summary>
internal static class Sql
{
    // The update changes nothing. If another worker creates the same batch at this moment, the statement waits for that worker and returns its row.
    public const string OpenBatch = """
        insert into hakit.batch (name, seal_salt, seal_check) values ($1, $2, $3)
        on conflict (name) do update set name = excluded.name
        returning batch_id, seal_salt, seal_check
        """;

    public const string OpenWorker = "insert into hakit.batch_worker (batch_id, worker) values ($1, $2) on conflict do nothing";

    public const string Count = """
        select coalesce(sum(added), 0)::bigint, coalesce(sum(succeeded), 0)::bigint, coalesce(sum(failed), 0)::bigint, coalesce(sum(unknown), 0)::bigint, coalesce(sum(under_way), 0)::bigint,
               coalesce(sum(calls), 0)::bigint, coalesce(sum(lost), 0)::bigint, coalesce(sum(spent), 0), coalesce(sum(reserved), 0)
        from hakit.batch_worker where batch_id = $1
        """;

    public const string Add = """
        with given as (select * from unnest($3::text[], $4::bytea[], $5::bytea[]) with ordinality as t (item_id, input, input_hash, place)),
        made as (insert into hakit.batch_item (batch_id, item_id, input, input_hash) select $1, item_id, input, input_hash from given order by place on conflict (batch_id, item_id) do nothing returning 1),
        counted as (update hakit.batch_worker set added = added + (select count(*) from made) where batch_id = $1 and worker = $2)
        select count(*)::integer from made
        """;

    public const string Changed = """
        select t.item_id from unnest($2::text[], $3::bytea[]) with ordinality as t (item_id, input_hash, place)
        join hakit.batch_item i on i.batch_id = $1 and i.item_id = t.item_id
        where i.input_hash <> t.input_hash order by t.place
        """;

    // If the lease of an item has expired, the item is taken from its worker, as a claim does it. The new fence refuses the outcome of that worker.
    public const string Replace = """
        with given as (select * from unnest($3::text[], $4::bytea[], $5::bytea[]) as t (item_id, input, input_hash)),
        old as (select i.ordinal, i.state, i.reserved from hakit.batch_item i join given g on i.batch_id = $1 and i.item_id = g.item_id
            where i.input_hash <> g.input_hash and (i.state <> 1 or i.lease_until < clock_timestamp()) order by i.ordinal for update of i),
        replaced as (update hakit.batch_item i set input = g.input, input_hash = g.input_hash, state = 0, request = null, result = null, endpoint = null, error = null, finished_at = null,
                fence = i.fence + case when old.state = 1 then 1 + (random() * 1000000)::bigint else 0 end, reserved = 0, must_not_repeat = false, lease_until = null, worker = null
            from given g, old where i.batch_id = $1 and i.item_id = g.item_id and i.ordinal = old.ordinal returning old.state, old.reserved as lost_cost)
        update hakit.batch_worker set succeeded = succeeded - (select count(*) from replaced where state = 2), failed = failed - (select count(*) from replaced where state = 3),
            unknown = unknown - (select count(*) from replaced where state = 4), under_way = under_way - (select count(*) from replaced where state = 1),
            lost = lost + (select count(*) from replaced where state = 1), spent = spent + (select coalesce(sum(lost_cost), 0) from replaced),
            reserved = reserved - (select coalesce(sum(lost_cost), 0) from replaced)
        where batch_id = $1 and worker = $2
        """;

    public const string UnderWay = """
        select t.item_id from unnest($2::text[], $3::bytea[]) with ordinality as t (item_id, input_hash, place)
        join hakit.batch_item i on i.batch_id = $1 and i.item_id = t.item_id
        where i.input_hash <> t.input_hash and i.state = 1 order by t.place
        """;

    // "state < 2" is spelt out so that the partial index is used. If the lease of an item has expired and the item must not be repeated, its state becomes
    // unknown here. The fence grows by a random number: if the database comes back with older data, two workers could otherwise get the same fence.
    public const string Claim = """
        with due as (
            select ordinal, state, must_not_repeat and state = 1 as must_not_repeat, reserved from hakit.batch_item
            where batch_id = $1 and state < 2 and (state = 0 or lease_until < clock_timestamp())
            order by ordinal limit $3 for update skip locked),
        taken as (
            update hakit.batch_item i set
                state = case when due.must_not_repeat then 4 else 1 end, fence = i.fence + 1 + (random() * 1000000)::bigint, reserved = 0, must_not_repeat = false,
                lease_until = case when due.must_not_repeat then null else clock_timestamp() + $4 end, worker = case when due.must_not_repeat then null else $2 end,
                finished_at = case when due.must_not_repeat then clock_timestamp() end,
                error = case when due.must_not_repeat then 'The worker was lost between the call and its commit, and the call must not be repeated.' end
            from due where i.batch_id = $1 and i.ordinal = due.ordinal
            returning i.ordinal, i.item_id, i.input, i.fence, i.state, due.state as was, due.reserved as lost),
        counted as (
            update hakit.batch_worker set
                under_way = under_way + (select count(*) filter (where state = 1) - count(*) filter (where was = 1) from taken),
                unknown = unknown + (select count(*) filter (where state = 4) from taken),
                lost = lost + (select count(*) filter (where was = 1) from taken),
                spent = spent + (select coalesce(sum(taken.lost), 0) from taken),
                reserved = reserved - (select coalesce(sum(taken.lost), 0) from taken)
            where batch_id = $1 and worker = $2 and exists (select from taken))
        select ordinal, item_id, input, fence from taken where state = 1 order by ordinal
        """;

    public const string CostLock = "select pg_advisory_xact_lock(1213254505, $1)";

    // If the answer of the statement was lost, the statement is repeated. It then finds its own reservation, and does not add it again.
    public const string Start = """
        with old as (select reserved from hakit.batch_item where batch_id = $1 and ordinal = $3 and fence = $4 and state = 1 for update),
        started as (
            update hakit.batch_item set reserved = $5, must_not_repeat = $6
            where batch_id = $1 and ordinal = $3 and exists (select from old)
                and ($7::double precision is null or (select sum(spent) + sum(reserved) from hakit.batch_worker where batch_id = $1) - (select reserved from old) + $5 <= $7)
            returning 1),
        counted as (update hakit.batch_worker set reserved = reserved + $5 - (select reserved from old) where batch_id = $1 and worker = $2 and exists (select from started))
        select count(*)::integer from started
        """;

    // If the connection broke before the answer of an earlier try of the same commit, the rows have the same fence and request. "fresh" leaves these outcomes out
    // of the counts, and the last part returns them as stored.
    public const string Commit = """
        with given as (select * from unnest($3::bigint[], $4::bigint[], $5::smallint[], $6::bytea[], $7::bytea[], $8::text[], $9::text[], $10::integer[], $11::double precision[], $12::bigint[], $13::bigint[], $14::double precision[])
            as t (ordinal, fence, state, request, result, endpoint, error, attempts, cost, input_tokens, output_tokens, reserved)),
        fresh as (select g.* from given g where not exists (select from hakit.batch_item i where i.batch_id = $1 and i.ordinal = g.ordinal and i.fence = g.fence and i.state = g.state and i.request = g.request)),
        stored as (
            update hakit.batch_item i set
                state = g.state, request = g.request, result = g.result, endpoint = g.endpoint, error = g.error, attempts = g.attempts, cost = g.cost, input_tokens = g.input_tokens,
                output_tokens = g.output_tokens, reserved = 0, must_not_repeat = false, lease_until = null, worker = null, finished_at = clock_timestamp()
            from given g where i.batch_id = $1 and i.ordinal = g.ordinal and i.fence = g.fence and i.state = 1
            returning i.ordinal, g.state, g.cost, g.reserved),
        counted as (
            update hakit.batch_worker set
                succeeded = succeeded + (select count(*) filter (where state = 2) from stored), failed = failed + (select count(*) filter (where state = 3) from stored),
                unknown = unknown + (select count(*) filter (where state = 4) from stored), under_way = under_way - (select count(*) from stored), calls = calls + (select count(*) from fresh),
                spent = spent + (select coalesce(sum(cost), 0) from fresh), reserved = reserved - (select coalesce(sum(stored.reserved), 0) from stored)
            where batch_id = $1 and worker = $2)
        select ordinal from stored
        union all
        select i.ordinal from hakit.batch_item i join given g on i.batch_id = $1 and i.ordinal = g.ordinal where i.fence = g.fence and i.state = g.state and i.request = g.request
        """;

    public const string End = """
        with ended as (update hakit.batch_item set reserved = 0, must_not_repeat = false where batch_id = $1 and ordinal = $3 and fence = $4 and state = 1 returning 1)
        update hakit.batch_worker set calls = calls + 1, spent = spent + $5, reserved = reserved - case when exists (select from ended) then $6 else 0 end where batch_id = $1 and worker = $2
        """;

    public const string Release = """
        with freed as (update hakit.batch_item i set state = 0, lease_until = null, worker = null, must_not_repeat = false from unnest($3::bigint[], $4::bigint[]) as t (ordinal, fence)
            where i.batch_id = $1 and i.ordinal = t.ordinal and i.fence = t.fence and i.state = 1 returning 1)
        update hakit.batch_worker set under_way = under_way - (select count(*) from freed) where batch_id = $1 and worker = $2
        """;

    public const string Renew = """
        update hakit.batch_item i set lease_until = clock_timestamp() + $2 from unnest($3::bigint[], $4::bigint[]) as t (ordinal, fence)
        where i.batch_id = $1 and i.ordinal = t.ordinal and i.fence = t.fence and i.state = 1
        returning i.ordinal
        """;

    // A redone item has the same request. Only the time and the state show whether another worker has stored a later outcome.
    public const string Redo = """
        with given as (select * from unnest($3::bigint[], $4::bytea[], $5::smallint[], $6::timestamptz[]) as t (ordinal, request, state, finished_at)),
        old as (select i.ordinal, i.state from hakit.batch_item i join given g on i.batch_id = $1 and i.ordinal = g.ordinal
            where i.state > 1 and i.state = g.state and i.request is not distinct from g.request and i.finished_at is not distinct from g.finished_at order by i.ordinal for update of i),
        reopened as (update hakit.batch_item i set state = 0, request = null, result = null, endpoint = null, error = null, finished_at = null
            from old where i.batch_id = $1 and i.ordinal = old.ordinal returning old.state)
        update hakit.batch_worker set succeeded = succeeded - (select count(*) from reopened where state = 2), failed = failed - (select count(*) from reopened where state = 3),
            unknown = unknown - (select count(*) from reopened where state = 4)
        where batch_id = $1 and worker = $2
        """;

    public const string Finished = """
        select ordinal, item_id, case when $2 then input end, state, request, case when $3 then result end, endpoint, error, attempts, cost, input_tokens, output_tokens, finished_at
        from hakit.batch_item where batch_id = $1 and state > 1 and ordinal > $4 order by ordinal limit 1000
        """;
}
