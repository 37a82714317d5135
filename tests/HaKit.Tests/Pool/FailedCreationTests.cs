using System.Diagnostics.Metrics;
using HaKit.Heartbeats;
using HaKit.Peers;
using HaKit.Recording;
using HaKit.Testing;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Pool;

/// <summary>
/// A container creates a singleton again at each request for it, until the creation succeeds. So a creation that fails must release everything that it has
/// created: timers, the link to other replicas, gauges and the recorder.
/// </summary>
public sealed class FailedCreationTests
{
    [Fact]
    public void A_pool_whose_creation_fails_at_any_place_leaves_no_timer_link_gauge_or_file()
    {
        HashSet<string> failed = [];
        var place = 0;
        while (true)
        {
            using var parts = new Parts(++place);
            EndpointPool? pool = null;
            try
            {
                pool = parts.Create();
            }
            catch (PlantedException)
            {
                failed.Add(parts.Failed!);
            }
            if (parts.Failed is null)
            {
                parts.Time.ArmedTimers.Should().BeGreaterThan(3);
                pool!.Dispose();
                break;
            }
            pool?.Dispose(); // some places tolerate the exception
            parts.CheckNothingIsLeft($"place {place} ({parts.Failed}) failed", hasServed: pool is not null);
        }
        failed.Should().BeEquivalentTo(
            ["CreateLogger", "Meter", "Recorder", "CreateTimer", "Timer.Change", "GetTimestamp", "ConfigureEndpointPipeline", "ConfigurePipeline", "PeerLink", "PeerLink.Start"],
            "each kind of the application's code is tried; an endpoint whose probe cannot be made gets the default probe");
    }

    [Fact]
    public void A_link_that_throws_when_it_is_disposed_does_not_keep_the_other_parts_from_their_end()
    {
        using var parts = new Parts(failAt: 0) { LinkEndFails = true };
        var pool = parts.Create();
        pool.Invoking(static p => p.Dispose()).Should().Throw<PlantedException>();
        parts.CheckNothingIsLeft("the link threw", hasServed: true);
    }

    [Fact]
    public void A_creation_that_fails_reports_its_own_exception_even_if_a_part_fails_at_its_end()
    {
        using var parts = new Parts(failAt: 0) { LinkEndFails = true, LinkStartFails = true };
        parts.Invoking(static p => p.Create()).Should().Throw<PlantedException>().WithMessage("PeerLink.Start");
        parts.CheckNothingIsLeft("the link threw twice", hasServed: false);
    }

    private sealed class PlantedException(string place) : Exception(place);

    /// <summary>The parts of a pool. The code of the application throws the given time that any of it runs.</summary>
    private sealed class Parts(int failAt) : TimeProvider, ILoggerFactory, IMeterFactory
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("hakit-creation-").FullName;
        private Meter? _meter;
        private int _visits;
        private int _links;
        private int _opened;
        private bool _isCreated;

        public ManualTimeProvider Time { get; } = new();

        public string? Failed { get; private set; }

        public bool LinkStartFails { get; init; }

        public bool LinkEndFails { get; init; }

        public override long TimestampFrequency => Time.TimestampFrequency;

        public EndpointPool Create()
        {
            var options = new EndpointPoolOptions { Seed = 1, Objective = new ObjectiveOptions() };
            options.Scale.Interval = TimeSpan.FromSeconds(10);
            foreach (var name in new[] { "a", "b" })
                options.Endpoints.Add(new EndpointOptions { Name = name, Address = $"https://{name}.test/v1" });
            var pool = new EndpointPool("chat", options, new EndpointPoolParts
            {
                TimeProvider = this,
                LoggerFactory = this,
                MeterFactory = this,
                PeerLink = _ =>
                {
                    Visit("PeerLink");
                    return new Link(this);
                },
                Probe = _ =>
                {
                    Visit("Probe");
                    return new Probe();
                },
                ConfigurePipeline = _ => Visit("ConfigurePipeline"),
                ConfigureEndpointPipeline = (_, _) => Visit("ConfigureEndpointPipeline"),
                Recorder = scope =>
                {
                    Visit("Recorder");
                    return new FlightRecorder(new FlightRecorderOptions { Folder = _folder }, scope, path =>
                    {
                        _opened++;
                        return SegmentWriter.OpenOnDisk(path);
                    });
                },
            });
            _isCreated = true;
            return pool;
        }

        /// <param name="because">What has failed.</param>
        /// <param name="hasServed">True if the pool existed, so that its recorder has written a file.</param>
        public void CheckNothingIsLeft(string because, bool hasServed)
        {
            Time.ArmedTimers.Should().Be(0, because);
            _links.Should().Be(0, because);
            Time.Advance(TimeSpan.FromMinutes(1));
            _opened.Should().Be(hasServed ? 1 : 0, because);
            Directory.GetFiles(_folder).Should().HaveCount(_opened, because);
            GaugesOf().Should().Be(0, because);
        }

        public override long GetTimestamp()
        {
            Visit("GetTimestamp");
            return Time.GetTimestamp();
        }

        public override DateTimeOffset GetUtcNow() => Time.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Visit("CreateTimer");
            return new Timer(this, Time.CreateTimer(callback, state, dueTime, period));
        }

        ILogger ILoggerFactory.CreateLogger(string categoryName)
        {
            Visit("CreateLogger");
            return Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
        }

        void ILoggerFactory.AddProvider(ILoggerProvider provider)
        {
        }

        Meter IMeterFactory.Create(MeterOptions options)
        {
            Visit("Meter");
            return _meter = new Meter(options);
        }

        public void Dispose()
        {
            _meter?.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private int GaugesOf()
        {
            var count = 0;
            using var listener = new MeterListener();
            listener.InstrumentPublished = (instrument, to) =>
            {
                if (ReferenceEquals(instrument.Meter, _meter))
                    to.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<double>((_, _, _, _) => count++);
            listener.Start();
            listener.RecordObservableInstruments();
            return count;
        }

        private void Visit(string place)
        {
            if (_isCreated || ++_visits != failAt)
                return;
            Failed = place;
            throw new PlantedException(place);
        }

        private sealed class Link : IPeerLink
        {
            private readonly Parts _parts;

            public Link(Parts parts)
            {
                _parts = parts;
                parts._links++;
            }

            public PeerLinkStatus Status { get; } = new() { IsConnected = true };

            public void Start(Action<PeerNews> listener)
            {
                _parts.Visit("PeerLink.Start");
                if (_parts.LinkStartFails)
                    throw new PlantedException("PeerLink.Start");
            }

            public void Publish(IReadOnlyList<PeerFact> facts)
            {
            }

            public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => new(TimeSpan.FromSeconds(30));

            public void Dispose()
            {
                _parts._links--;
                if (_parts.LinkEndFails)
                    throw new PlantedException("PeerLink.Dispose");
            }
        }

        private sealed class Timer(Parts parts, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                parts.Visit("Timer.Change");
                return inner.Change(dueTime, period);
            }

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }

        private sealed class Probe : IProbe
        {
            public ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken) => new(new ProbeResult());
        }
    }
}
