using HaKit.Faults;
using HaKit.Health;
using HaKit.Recording;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Recording;

public sealed class FlightRecorderTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void A_call_and_its_attempts_are_read_as_they_happened()
    {
        using var pool = new RecordedPool();
        pool.Test["a"].Faults.Next(1, FakeFault.Status(503).WithHeader("Retry-After", "7"));
        pool.Test.Time.Advance(S(3));
        pool.Test.Call(new RequestProfile { InputTokens = 120, MaxOutputTokens = 40, Priority = 2, MayRepeat = false, Deadline = S(30) });
        pool.Test.Call(new RequestProfile { InputTokens = 121, MaxOutputTokens = 41 });
        var events = pool.Read().Events;
        var calls = events.OfType<RecordedCall>().ToArray();
        calls.Should().HaveCount(2);
        calls[0].Should().BeEquivalentTo(new { Outcome = RecordedOutcome.Served, InputTokens = 120, MaxOutputTokens = 40, Priority = 2, MayRepeat = false, Deadline = S(30), Error = (string?)null });
        (calls[0].At - new ManualTimeProvider().GetUtcNow()).Should().Be(S(3));
        var attempts = events.OfType<RecordedAttempt>().Where(a => a.Call == calls[0].Number).ToArray();
        var served = attempts.Single(a => a.Fault is null);
        served.Took.Should().Be(S(0.1));
        served.OutputTokens.Should().Be(40);
        foreach (var failed in events.OfType<RecordedAttempt>().Where(a => a.Fault is not null))
            failed.Fault.Should().Be(new Fault(FaultKind.Overloaded) { StatusCode = 503, RetryAfter = S(7), Blame = failed.Fault!.Blame, Applied = failed.Fault.Applied, Reach = failed.Fault.Reach });
        events.OfType<RecordedAttempt>().Should().Contain(a => a.Fault != null);
    }

    [Fact]
    public void A_lost_call_says_what_ended_it_and_by_which_rules_it_waited()
    {
        using var pool = new RecordedPool(pool: o => o.TotalRequestTimeout.Timeout = S(8));
        foreach (var endpoint in pool.Test.Endpoints)
            endpoint.Faults.Always(FakeFault.Status(503));
        pool.Test.Invoking(t => t.Call()).Should().Throw<EndpointPoolException>();
        var call = pool.Read().Events.OfType<RecordedCall>().Single();
        call.Outcome.Should().Be(RecordedOutcome.Failed);
        call.Error.Should().Be(nameof(FaultKind.DeadlineExceeded));
        call.WaitRules.Should().NotBeEmpty();
        call.Waited.Should().BePositive();
    }

    [Fact]
    public void Probes_and_changes_of_health_are_recorded()
    {
        using var pool = new RecordedPool(pool: o => o.Heartbeat.Enabled = true);
        pool.Test["a"].Faults.Always(FakeFault.Refused, where: _ => true);
        pool.Test.Time.Advance(S(60));
        var events = pool.Read().Events;
        events.OfType<RecordedProbe>().Should().Contain(p => p.Endpoint == "a" && p.Fault!.Kind == FaultKind.ConnectFailed && p.Level == ProbeLevel.Generating)
            .And.Contain(p => p.Endpoint == "b" && p.Fault == null);
        events.OfType<RecordedChange>().Should().Contain(c => c.Endpoint == "a" && c.After == EndpointHealthStatus.Ejected && c.Source == ChangeSource.Heartbeat && c.OutFor > S(0));
    }

    [Fact]
    public void The_configuration_is_recorded_first_and_again_when_it_changes()
    {
        using var pool = new RecordedPool();
        pool.Test.Call();
        pool.Test.Time.Advance(S(6));
        pool.Test.Pool.AddEndpoint(new EndpointOptions { Name = "late" });
        pool.Test.Time.Advance(S(6));
        pool.Test.Call();
        var events = pool.Read().Events;
        events.OfType<RecordedConfiguration>().Select(c => c.Json.Contains("late", StringComparison.Ordinal)).Should().Equal(false, true);
    }

    [Fact]
    public void Each_file_says_the_configuration_and_the_oldest_are_deleted_beyond_the_bound()
    {
        using var pool = new RecordedPool(recorder: o => (o.SegmentBytes, o.MaxBytes) = (64 * 1024, 192 * 1024));
        for (var i = 0; i < 60_000; i++)
            pool.Test.Call(new RequestProfile { InputTokens = (int)(i * 7919L % 10_007), MaxOutputTokens = (int)(i * 104_729L % 1009) });
        var files = new DirectoryInfo(pool.Folder).GetFiles();
        files.Length.Should().BeGreaterThan(1);
        files.Sum(f => f.Length).Should().BeLessThanOrEqualTo(192 * 1024 + 64 * 1024);
        foreach (var file in files)
            FlightRecording.Read(file.FullName).Events.Should().ContainItemsAssignableTo<RecordedEvent>().And.Contain(e => e is RecordedConfiguration);
        pool.Read().Problems.Should().BeEmpty();
    }

    [Theory]
    [InlineData("chat/a", "chat:a")]
    [InlineData("chat_a", "chat a")]
    [InlineData("Chat", "chat")]
    [InlineData("ä", "ö")]
    [InlineData("", " ")]
    public void Pools_whose_names_look_alike_have_files_of_their_own(string one, string other)
    {
        SegmentWriter.PrefixOf(one).Should().NotStartWith(SegmentWriter.PrefixOf(other)).And.MatchRegex("^[A-Za-z0-9_.~]*-$");
        SegmentWriter.PrefixOf(other).Should().NotStartWith(SegmentWriter.PrefixOf(one));
        var folder = Directory.CreateTempSubdirectory("hakit-names-").FullName;
        foreach (var pool in new[] { one, other })
        {
            using var writer = new SegmentWriter(new FlightRecorderOptions { Folder = folder, MaxBytes = 1, SegmentBytes = 1 }, pool, SegmentWriter.OpenOnDisk);
            writer.Write("x"u8, TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        }
        SegmentWriter.FilesOf(folder, one).Should().ContainSingle("the other pool deletes its own files only");
        SegmentWriter.FilesOf(folder, other).Should().ContainSingle();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_pool_with_a_very_long_name_is_recorded() => SegmentWriter.PrefixOf(new string('a', 400)).Length.Should().BeLessThan(120);

    [Fact]
    public void A_day_of_ten_calls_a_second_takes_at_most_60_MB()
    {
        const int calls = 36_000;
        using var pool = new RecordedPool(3);
        var random = new Random(1);
        foreach (var endpoint in pool.Test.Endpoints)
            endpoint.Service = ServiceModel.LogNormal(S(0.8), S(4)).FirstContentAfter(0.3);
        for (var i = 0; i < calls; i++)
        {
            pool.Test.Time.Advance(S(0.1 * -Math.Log(1 - random.NextDouble())));
            _ = pool.Test.CallAsync(new RequestProfile { InputTokens = random.Next(20, 4000), MaxOutputTokens = random.Next(10, 600) });
        }
        pool.Test.Time.Advance(S(30));
        pool.Read().Events.OfType<RecordedCall>().Should().HaveCount(calls);
        var bytes = new DirectoryInfo(pool.Folder).GetFiles().Sum(f => f.Length);
        TestContext.Current.TestOutputHelper!.WriteLine($"{(double)bytes / calls:0.0} bytes a call, {bytes * 24 / 1e6:0.0} MB a day");
        (bytes * 24).Should().BeLessThan(60_000_000);
    }

    [Fact]
    public void No_credential_prompt_address_or_caller_is_in_a_recording()
    {
        const string planted = "PLANTED";
        using var pool = new RecordedPool(pool: o =>
        {
            foreach (var endpoint in o.Endpoints)
            {
                endpoint.Credential = $"sk-{planted}-credential";
                endpoint.Address = $"http://{planted}.example/v1?key={planted}";
                endpoint.HealthPath = $"/health?key={planted}";
                endpoint.Headers["X-Key"] = $"{planted}-header";
            }
            o.Origin = $"http://{planted}.example/";
            o.Sharing.OrderKey = $"{planted}{planted}{planted}{planted}{planted}{planted}";
            o.Sharing.Replica = planted;
            o.Heartbeat.Path = $"/{planted}";
            o.Http.CredentialNames = [planted];
        });
        const string refusal = $"{{\"error\":{{\"code\":\"{planted}\",\"message\":\"Incorrect API key provided: sk-{planted}\",\"type\":\"{planted}\"}}}}";
        pool.Test["a"].Faults.Next(3, FakeFault.Status(401, refusal));
        for (var i = 0; i < 20; i++)
            pool.Test.Call(new RequestProfile { AffinityKey = $"{planted}-user", IdempotencyKey = $"{planted}-key" });
        pool.Test.Invoking(t => t.Call(new RequestProfile { Model = $"{planted}-model", Tags = [planted], Residency = planted })).Should().Throw<Exception>();
        pool.Test.Dispose();
        var text = RecordingText.Of(pool.Folder);
        text.Contains(planted, StringComparison.Ordinal).Should().BeFalse();
        text.Contains("\"Name\":\"a\"", StringComparison.Ordinal).Should().BeTrue("the scan sees the names of the configuration");
        FlightRecording.Read(pool.Folder).Events.OfType<RecordedCall>().Last().IsRestricted.Should().BeTrue();
    }

    [Fact]
    public void The_model_of_a_call_is_recorded_where_the_configuration_declares_it()
    {
        using var pool = new RecordedPool(pool: o => o.Endpoints[0].Model = "small");
        pool.Test.Call(new RequestProfile { Model = "small" });
        pool.Test.Call(new RequestProfile { Model = "of-the-caller" });
        pool.Read().Events.OfType<RecordedCall>().Select(c => (c.Model, c.IsRestricted)).Should().Equal(("small", false), (null, true));
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_by_name_when_the_recorder_is_added()
    {
        var services = new ServiceCollection();
        services.Invoking(s => s.AddHaFlightRecorder("chat", o => (o.Folder, o.MaxBytes, o.Capacity) = (" ", 5, 3)))
            .Should().Throw<OptionsValidationException>().Which.Failures.Should().HaveCount(3);
    }

    [Fact]
    public void A_pool_of_the_container_is_recorded_as_the_page_says()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new() { Name = "a" }));
        services.AddHaFlightRecorder("chat", o => o.Folder = "recordings");
        using (var provider = services.BuildServiceProvider())
            provider.GetRequiredService<EndpointPool>().Name.Should().Be("chat");
        FlightRecording.Read("recordings", "chat").Events.OfType<RecordedConfiguration>().Should().NotBeEmpty();
        Directory.Delete("recordings", recursive: true);
    }

    [Fact]
    public async Task A_recorder_of_an_unknown_pool_is_told_at_the_start_and_a_bad_folder_is_not()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new() { Name = "a" }));
        services.AddHaFlightRecorder("chat", o => o.Folder = "/proc/no/such/place");
        await using (var provider = services.BuildServiceProvider())
        {
            foreach (var host in provider.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
                await host.StartingAsync(TestContext.Current.CancellationToken);
        }

        services.AddHaFlightRecorder("cat", o => o.Folder = "/tmp");
        await using var wrong = services.BuildServiceProvider();
        await wrong.Awaiting(p => p.GetServices<IHostedService>().OfType<IHostedLifecycleService>().First().StartingAsync(TestContext.Current.CancellationToken))
            .Should().ThrowAsync<OptionsValidationException>().WithMessage("*'cat'*");
    }
}
