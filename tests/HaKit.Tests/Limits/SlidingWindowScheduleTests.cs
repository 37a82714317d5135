using HaKit.Limits;

namespace HaKit.Tests.Limits;

/// <summary>
/// Compares random schedules with an exact log of the accepted amounts. HAKIT_LIMIT_SCHEDULES sets their number (default 20,000, which takes a few seconds).
/// </summary>
public sealed class SlidingWindowScheduleTests(ITestOutputHelper output)
{
    [Fact]
    public void No_window_of_a_minute_exceeds_a_limit_and_a_refusal_has_a_reason()
    {
        var schedules = int.TryParse(Environment.GetEnvironmentVariable("HAKIT_LIMIT_SCHEDULES"), out var given) ? given : Effort.Of(20_000);
        var log = new AcceptanceLog();
        var accepted = 0L;
        var refused = 0L;
        for (var seed = 0; seed < schedules; seed++)
        {
            var schedule = new Schedule(seed, log);
            schedule.Run();
            accepted += schedule.Accepted;
            refused += schedule.Refused;
        }
        output.WriteLine($"{schedules} schedules, {accepted} accepted, {refused} refused");
        accepted.Should().BeGreaterThan(schedules);
        refused.Should().BeGreaterThan(schedules);
    }

    /// <summary>Runs a few dozen steps on one limiter, from a seed.</summary>
    private sealed class Schedule(int seed, AcceptanceLog log)
    {
        private static readonly long Bucket = SlidingWindow.BucketTicks;

        private readonly Random _random = new(seed);
        private readonly List<(LimitReservation Reservation, int Entry)> _inFlight = [];
        private LimitOptions _options = new();
        private TimeSpan _now;

        public int Accepted { get; private set; }

        public int Refused { get; private set; }

        public void Run()
        {
            log.Clear();
            _now = TimeSpan.FromTicks(_random.NextInt64(TimeSpan.TicksPerDay * 1000));
            _options = Options();
            var limiter = new Limiter(_options);
            for (var step = 0; step < 30; step++)
            {
                switch (_random.Next(16))
                {
                    case < 9:
                        Reserve(limiter);
                        break;
                    case < 11:
                        End(limiter);
                        break;
                    case < 15:
                        _now += Pause();
                        break;
                    default:
                        limiter.UseOptions(_options = Changed(_options));
                        break;
                }
            }
        }

        private void Reserve(Limiter limiter)
        {
            long tokens = 1 + _random.Next((_options.TokensPerMinute ?? 100) / _random.Next(1, 8) + 1);
            var hasRoom = limiter.HasRoom(tokens, _now);
            var at = limiter.AvailableAt(tokens, _now);
            if (limiter.TryReserve(tokens, _now, out var reservation) != hasRoom || at == _now != hasRoom)
                Fail($"TryReserve, HasRoom ({hasRoom}) and AvailableAt ({at}) differ");
            if (!hasRoom)
            {
                Refused++;
                CheckRefusal(limiter, tokens, at);
                return;
            }
            Accepted++;
            _inFlight.Add((reservation, log.Add(_now, tokens)));
            // The limit holds for the 60 s that end now. So it holds for every 60 s.
            var (requestsSpent, tokensSpent) = log.Since(_now.Ticks - TimeSpan.TicksPerMinute);
            if (requestsSpent > _options.RequestsPerMinute || tokensSpent > _options.TokensPerMinute || _inFlight.Count > _options.MaxConcurrency)
                Fail($"accepted {requestsSpent} requests, {tokensSpent} tokens within a minute, {_inFlight.Count} at once");
        }

        private void CheckRefusal(Limiter limiter, long tokens, TimeSpan at)
        {
            // An amount may count for at most one bucket longer than the minute.
            var (requestsSpent, tokensSpent) = log.Since(_now.Ticks - TimeSpan.TicksPerMinute - Bucket);
            if (requestsSpent + 1 <= (_options.RequestsPerMinute ?? int.MaxValue)
                && tokensSpent + tokens <= (_options.TokensPerMinute ?? int.MaxValue)
                && _inFlight.Count < (_options.MaxConcurrency ?? int.MaxValue))
            {
                Fail($"refused {tokens} tokens with {requestsSpent} requests and {tokensSpent} tokens spent, {_inFlight.Count} in flight");
            }

            if (at == TimeSpan.MaxValue)
                return;
            if (limiter.HasRoom(tokens, at - TimeSpan.FromTicks(1)) || !limiter.HasRoom(tokens, at))
                Fail($"{at} is not the earliest instant");
        }

        private void End(Limiter limiter)
        {
            if (_inFlight.Count == 0)
                return;
            var which = _random.Next(_inFlight.Count);
            var (reservation, entry) = _inFlight[which];
            _inFlight.RemoveAt(which);
            if (_random.Next(4) == 0)
            {
                limiter.Cancel(reservation);
                log.Remove(entry);
                return;
            }
            long? actual = _random.Next(4) == 0 ? null : _random.Next(1 + (int)reservation.Tokens * 2);
            limiter.SettleTokens(reservation, actual, _now);
            if (actual is { } known && (reservation.Parts & LimitParts.Tokens) != 0)
                log.Correct(entry, known);
        }

        private TimeSpan Pause() => TimeSpan.FromTicks(_random.Next(8) switch
        {
            0 => 1,
            1 => Bucket,
            2 => TimeSpan.TicksPerMinute - _random.Next(2),
            3 => TimeSpan.TicksPerMinute + _random.Next(3) * Bucket,
            4 => _random.NextInt64(TimeSpan.TicksPerHour),
            _ => _random.NextInt64(TimeSpan.TicksPerMinute / 4),
        });

        private LimitOptions Options() => new()
        {
            MaxConcurrency = _random.Next(2) == 0 ? null : _random.Next(1, 10),
            RequestsPerMinute = _random.Next(2) == 0 ? null : _random.Next(1, 12),
            TokensPerMinute = _random.Next(3) == 0 ? null : _random.Next(1, 2000),
        };

        // A limit that did not exist has counted nothing. So a reload here changes limits, but neither removes nor adds one.
        private LimitOptions Changed(LimitOptions old) => new()
        {
            MaxConcurrency = old.MaxConcurrency is null ? null : _random.Next(1, 10),
            RequestsPerMinute = old.RequestsPerMinute is null ? null : _random.Next(1, 12),
            TokensPerMinute = old.TokensPerMinute is null ? null : _random.Next(1, 2000),
        };

        private void Fail(string what) => Assert.Fail($"Schedule {seed} at {_now}: {what}; limits {_options.RequestsPerMinute}/min, {_options.TokensPerMinute} tokens/min, {_options.MaxConcurrency} at once.");
    }

    /// <summary>Keeps an exact log of the accepted amounts: a slow and obvious model.</summary>
    private sealed class AcceptanceLog
    {
        private readonly List<(long At, long Tokens, bool Counts)> _entries = [];

        public void Clear() => _entries.Clear();

        public int Add(TimeSpan at, long tokens)
        {
            _entries.Add((at.Ticks, tokens, true));
            return _entries.Count - 1;
        }

        public void Correct(int entry, long tokens) => _entries[entry] = (_entries[entry].At, tokens, true);

        public void Remove(int entry) => _entries[entry] = (_entries[entry].At, 0, false);

        /// <summary>Gets the sum of the amounts that were accepted at the given time or later.</summary>
        public (long Requests, long Tokens) Since(long instant)
        {
            long requests = 0, tokens = 0;
            foreach (var (at, amount, counts) in _entries)
            {
                if (at >= instant && counts)
                {
                    requests++;
                    tokens += amount;
                }
            }

            return (requests, tokens);
        }
    }
}
