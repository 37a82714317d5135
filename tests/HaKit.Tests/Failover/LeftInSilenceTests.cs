using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>A silence is evidence even if the caller cancels the attempt. Otherwise a timeout outside the pool would leave a dead endpoint preferred.</summary>
public sealed class LeftInSilenceTests
{
    private readonly ManualTimeProvider _time = new();

    private EndpointPool Pool(params string[] others)
    {
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        foreach (var (name, tier) in ((string, int)[])[("silent", 0), ("well", 1), .. others.Select(other => (other, 1))])
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = $"https://{name}.test/v1", Tier = tier });
        return new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = _time });
    }

    [Fact]
    public void Callers_that_give_up_after_ten_seconds_move_the_pool_off_a_silent_endpoint()
    {
        using var pool = Pool();
        var served = 0;
        for (var call = 0; call < 12; call++)
            served += Ask(pool, TimeSpan.FromSeconds(10)) == "well" ? 1 : 0;

        pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Ejected);
        served.Should().BeGreaterThanOrEqualTo(4);
    }

    [Fact]
    public void The_first_two_make_it_suspect_and_dearer_and_count_for_nothing()
    {
        using var pool = Pool();
        Ask(pool, TimeSpan.FromSeconds(10));
        var once = pool.Explain(RequestProfile.Default)[0];
        once.Health.Status.Should().Be(EndpointHealthStatus.Suspect);
        once.Health.ConsecutiveFailures.Should().Be(0);
        once.FailureEstimate.Should().BePositive();

        Ask(pool, TimeSpan.FromSeconds(10));
        pool.Explain(RequestProfile.Default)[0].Health.ConsecutiveFailures.Should().Be(0);
        Ask(pool, TimeSpan.FromSeconds(10));
        pool.Explain(RequestProfile.Default)[0].Health.ConsecutiveFailures.Should().Be(1);
    }

    [Fact]
    public void Callers_that_leave_soon_are_no_evidence()
    {
        using var pool = Pool();
        for (var call = 0; call < 20; call++)
            Ask(pool, TimeSpan.FromSeconds(4));

        pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void An_answer_between_begins_the_row_anew()
    {
        using var pool = Pool();
        for (var call = 0; call < 20; call++)
        {
            if (call % 3 == 2)
                Ask(pool, TimeSpan.FromSeconds(10), answers: true).Should().Be("silent");
            else
                Ask(pool, TimeSpan.FromSeconds(10));
        }

        pool.Explain(RequestProfile.Default)[0].Health.Status.Should().NotBe(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void An_endpoint_whose_times_are_unknown_is_measured_by_its_siblings()
    {
        using var pool = Pool();
        Teach(pool, TimeSpan.FromSeconds(0.2));

        Ask(pool, TimeSpan.FromSeconds(0.5));
        pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Healthy, "that is within three times what the other endpoint takes");

        for (var call = 0; call < 3; call++)
            Ask(pool, TimeSpan.FromSeconds(1));
        var silent = pool.Explain(RequestProfile.Default)[0];
        silent.Health.Status.Should().Be(EndpointHealthStatus.Suspect);
        silent.Health.ConsecutiveFailures.Should().Be(1);
    }

    [Fact]
    public void Of_several_siblings_the_slowest_is_the_measure()
    {
        using var pool = Pool("slow", "quick");
        Teach(pool, TimeSpan.FromSeconds(0.2), "quick");
        Teach(pool, TimeSpan.FromSeconds(1), "slow");

        for (var call = 0; call < 3; call++)
            Ask(pool, TimeSpan.FromSeconds(2.5));
        pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    // Makes enough successful calls for the endpoint's times to be learned.
    private void Teach(EndpointPool pool, TimeSpan takes, string endpoint = "well") => _time.Run(async () =>
    {
        for (var call = 0; call < 30; call++)
        {
            await pool.ExecuteAsync(new RequestProfile { Endpoints = [endpoint] }, (_time, takes), static async (_, s, token) =>
            {
                await Task.Delay(s.takes, s._time, token).ConfigureAwait(false);
                return 0;
            }).ConfigureAwait(false);
        }
        return 0;
    });

    // Makes a call while the first endpoint is silent, or answers. Returns the name of the endpoint that served, or null.
    private string? Ask(EndpointPool pool, TimeSpan patience, bool answers = false) => _time.Run(async () =>
    {
        using var timeout = new CancellationTokenSource(patience, _time);
        try
        {
            return await pool.ExecuteAsync((_time, answers), static async (attempt, s, token) =>
            {
                if (attempt.Endpoint.Name == "silent" && !s.answers)
                    await new TaskCompletionSource().Task.WaitAsync(token).ConfigureAwait(false);
                return attempt.Endpoint.Name;
            }, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    });
}
