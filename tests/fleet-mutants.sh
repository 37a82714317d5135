#!/usr/bin/env bash
# Bugs are planted in the source of a temporary copy, one at a time, and a named test of the fleet is expected to fail of each.
# usage: tests/fleet-mutants.sh [NAME]   (only the mutants whose name contains NAME; those of the real stores need redis-server)
set -eu
cd "$(dirname "$0")/.."
only=${1:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$copy"
missed=0

mutant() { # name, project, test, file, what, by what
  case "$1" in *"$only"*) ;; *) return ;; esac
  local project="$copy/tests/$2" file="$copy/$4"
  cp "$file" "$copy/kept"
  FROM=$5 TO=$6 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/ or die "the source has changed: the mutant does not fit\n"' "$file"
  dotnet build "$project" -v q --nologo >"$copy/log" 2>&1 || { tail -5 "$copy/log"; echo "$1: does not build"; exit 1; }
  dotnet run --project "$project" --no-build -- -method "*.$3" -noColor >"$copy/log" 2>&1 || true
  local summary
  summary=$(grep -oE 'Total: [1-9][0-9]*, Errors: [0-9]+, Failed: [0-9]+' "$copy/log" || true)
  case "$summary" in
    '') echo "$1: no test $3"; exit 1 ;;
    *'Failed: 0') echo "$1: NOT found by $3"; missed=1 ;;
    *) echo "$1: found by $3 ($summary)" ;;
  esac
  mv "$copy/kept" "$file"
}

fleet() { mutant "$1" HaKit.Testing.Tests "${@:2}"; }
redis() { mutant "$1" HaKit.Redis.Tests "${@:2}"; }

fleet "no maximum in the pool" A_later_and_longer_cooldown_is_not_lost_in_the_store src/HaKit/Health/Cooldown.cs \
  'var longer = Outlasts(later) ? this : later;' 'var longer = later;'
fleet "no maximum of opinions" Whatever_happens_to_messages_the_latest_opinion_of_each_replica_is_known_to_all src/HaKit/Peers/PeerBook.cs \
  'if (fact.Version < known.Version)' 'if (fact.Version < 0)'
fleet "no maximum of orders" Whatever_happens_to_messages_all_replicas_end_with_the_same_orders src/HaKit/Peers/PeerBook.cs \
  'before with { Left = default }) <= 0' 'before with { Left = default }) == 0'
fleet "no majority" One_replica_that_has_ejected_an_endpoint_takes_it_from_no_other src/HaKit/Peers/PeerMajority.cs \
  'Ejected >= 2 && Ejected > Serving' 'Ejected >= 1'
fleet "a fixed quorum of two" Replicas_that_cannot_reach_an_endpoint_do_not_take_it_from_the_others src/HaKit/Peers/PeerMajority.cs \
  'Ejected >= 2 && Ejected > Serving' 'Ejected >= 2'
fleet "opinions that never expire" Opinions_expire_so_that_one_that_left_takes_nothing_any_more src/HaKit/Peers/OwnOpinion.cs \
  'return evidence.Now - opinion.At < Lifetime ? opinion : default;' 'return opinion;'
fleet "opinions of others that never expire" Opinions_expire_so_that_one_that_left_takes_nothing_any_more src/HaKit/Peers/PeerBook.cs \
  'var until = now + fact.Left;' 'var until = now + TimeSpan.FromDays(1);'
fleet "ejections by the majority that never expire" Two_that_have_ejected_an_endpoint_take_it_from_a_third_that_knows_nothing_and_what_peers_say_does_not_echo src/HaKit/Health/PeerTransitions.cs \
  'HealthTransitions.Jittered(options.BreakDuration, evidence.Jitter, options)' 'TimeSpan.FromDays(1)'
fleet "no re-read" Trouble_of_the_store_makes_no_call_slower_and_facts_are_complete_five_seconds_after_it src/HaKit.Testing/Fleet/VirtualLink.cs \
  'if (wasLost && _readAt is null)' 'if (wasLost && _readAt is null && now < TimeSpan.Zero)'
fleet "nothing written again" An_order_reaches_every_replica_those_that_start_later_and_those_after_the_store_was_wiped src/HaKit/Peers/PeerExchange.cs \
  '_own.AddMissing(news.Facts, now);' '_ = news.Facts;'
fleet "an echo" Two_that_have_ejected_an_endpoint_take_it_from_a_third_that_knows_nothing_and_what_peers_say_does_not_echo src/HaKit/Peers/OwnOpinion.cs \
  'if (health.IsByPeers)' 'if (health.IsByPeers && evidence.Now < TimeSpan.Zero)'
fleet "the last endpoint is taken" The_last_endpoint_that_could_serve_a_request_is_never_taken_by_others src/HaKit/Peers/PeerEjections.cs \
  'var isLast = !Array' 'var isLast = now < TimeSpan.Zero && !Array'
fleet "a signature that is not checked" A_forged_order_and_one_of_another_pool_are_ignored src/HaKit/Peers/PeerOrders.cs \
  'signature!.IsValid(fact)' 'signature is not null'
fleet "any fingerprint counts" In_the_middle_of_a_rotation_replicas_with_the_old_key_take_nothing_from_those_with_the_new src/HaKit/Peers/PeerBook.cs \
  'opinion.Fingerprint != fingerprint || ' ''
fleet "trials are put off for ever" After_an_outage_the_fleet_is_back_no_later_than_alone_though_two_stay_blind src/HaKit/Health/PeerTransitions.cs \
  'var later = after < most ? after : most;' 'var later = (after < most ? after : most) + TimeSpan.FromMinutes(5);'
redis "no maximum in the store" A_later_and_shorter_statement_of_the_same_fact_does_not_shorten_what_the_store_has src/HaKit.Redis/RedisStore.cs \
  'SortedSetWhen.GreaterThan' 'SortedSetWhen.Always'
redis "no re-read of the store" Calls_go_on_while_the_store_is_wiped_and_facts_are_complete_soon_after src/HaKit.Redis/RedisPeerLink.cs \
  'if (!_isConnected || !(_readAt <= Now))' 'if (!_isConnected || _readAt > TimeSpan.Zero)'
redis "a user that is verified once" A_server_that_no_longer_knows_the_user_after_it_is_back_is_refused_and_told_nothing src/HaKit.Redis/RedisStore.cs \
  'if (Volatile.Read(ref _verified) == connections)' 'if (Volatile.Read(ref _verified) >= 0)'
exit $missed
