using System.Diagnostics;
using System.Net;
using System.Text.Json;
using HaKit.Alerts;
using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.Alerts;

public sealed class AlertTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private sealed class Bench : IDisposable
    {
        public Bench(int endpoints = 2, Action<AlertOptions>? configure = null, Action<EndpointPoolOptions>? pool = null)
        {
            Test = TestPools.Create(endpoints, pool);
            // Only the tests about redundancy compute it.
            var options = new AlertOptions { RedundancyInterval = null };
            options.Add((message, _) =>
            {
                Messages.Add(message);
                return default;
            });
            configure?.Invoke(options);
            Dispatcher = new AlertDispatcher(options, Test.Time, Logs.CreateFactory().CreateLogger("alerts"));
            Test.Time.Run(() =>
            {
                Dispatcher.Watch(Test.Pool);
                return Task.CompletedTask;
            });
        }

        public TestPool Test { get; }

        public AlertDispatcher Dispatcher { get; }

        public List<AlertMessage> Messages { get; } = [];

        public LogRecorder Logs { get; } = new();

        public IEnumerable<string> Texts => Messages.Select(m => m.Text);

        public void Eject(string endpoint)
        {
            Test[endpoint].Faults.Always(FakeFault.Refused);
            for (var i = 0; i < 20 && Test.Pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == endpoint).Serves; i++)
                Try(endpoint);
        }

        public void Heal(string endpoint)
        {
            Test[endpoint].Faults.Clear();
            for (var i = 0; i < 200 && !Test.Pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == endpoint).Serves; i++)
            {
                Test.Time.Advance(TimeSpan.FromSeconds(1));
                Try(endpoint);
            }
        }

        /// <summary>Makes calls that no endpoint answers.</summary>
        public void Lose(int calls)
        {
            Eject("a");
            for (var i = 0; i < calls; i++)
                Try("a", 0.2);
        }

        public void Dispose()
        {
            Dispatcher.Dispose();
            Test.Dispose();
        }

        private void Try(string endpoint, double deadline = 0.3)
        {
            try
            {
                Test.Call(new RequestProfile { Endpoints = [endpoint], Deadline = TimeSpan.FromSeconds(deadline) });
            }
            catch (EndpointPoolException)
            {
            }
        }
    }

    [Fact]
    public void Lost_redundancy_is_told_before_an_outage_and_told_as_ended()
    {
        using var bench = new Bench(3, o => o.RedundancyInterval = TimeSpan.FromSeconds(30), pool =>
        {
            foreach (var endpoint in pool.Endpoints)
                endpoint.Limits = new() { RequestsPerMinute = 40 };
        });

        Call(bench, 60);
        bench.Texts.Should().BeEmpty("two of three carry 60 calls a minute");
        Call(bench, 100);
        bench.Texts.Should().ContainMatch("Pool test could not bear the loss of endpoint a (losing endpoint a: * of calls would wait or fail (requests * of what is left)).");
        Call(bench, 30);
        bench.Texts.Should().ContainMatch("Pool test can bear the loss of endpoint a again*");

        static void Call(Bench bench, int callsPerMinute)
        {
            for (var i = 0; i < 2 * callsPerMinute; i++)
            {
                bench.Test.Call();
                bench.Test.Time.Advance(TimeSpan.FromMinutes(1) / callsPerMinute - TimeSpan.FromMilliseconds(100));
            }
        }
    }

    [Theory]
    [InlineData(3, 100)]
    [InlineData(2, 50)]
    public void Lost_redundancy_is_told_as_ended_when_its_domain_leaves_the_pool(int endpoints, int callsPerMinute)
    {
        using var bench = new Bench(endpoints, o => o.RedundancyInterval = TimeSpan.FromSeconds(30), pool =>
        {
            foreach (var endpoint in pool.Endpoints)
                endpoint.Limits = new() { RequestsPerMinute = 40 };
        });
        for (var i = 0; i < 2 * callsPerMinute; i++)
        {
            bench.Test.Call();
            bench.Test.Time.Advance(TimeSpan.FromMinutes(1) / callsPerMinute - TimeSpan.FromMilliseconds(100));
        }

        var begun = bench.Messages.SelectMany(m => m.Notices).Where(n => !n.IsResolved).Select(n => n.Key).ToArray();
        begun.Should().HaveCount(endpoints, "no endpoint could be spared");
        bench.Test.Pool.RemoveEndpoint("a");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(33));
        var ended = bench.Messages.SelectMany(m => m.Notices).Where(n => n.IsResolved && n.Domain == "endpoint a").Should().ContainSingle().Which;
        ended.IsGone.Should().BeTrue();
        ended.Text.Should().Contain("no longer checks the loss of endpoint a");
        // With one endpoint left, no loss counts: a domain that contains the whole pool is not checked.
        bench.Messages.SelectMany(m => m.Notices).Count(n => n is { IsGone: true, Domain: "endpoint b" }).Should().Be(endpoints == 2 ? 1 : 0);
    }

    [Fact]
    public void An_ejection_is_told_once_and_so_is_its_end()
    {
        using var bench = new Bench();
        bench.Eject("a");
        bench.Messages.Should().BeEmpty("alerts are gathered for two seconds");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Texts.Should().Equal("Pool test, endpoint a is out of service (ConnectFailed).");
        bench.Heal("a");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Texts.Skip(1).Should().ContainSingle().Which.Should().MatchRegex(@"^Pool test, endpoint a is back in service \(ConnectFailed\), after [0-9.]+ s\.$");
        bench.Messages[1].Notices[0].Key.Should().Be(bench.Messages[0].Notices[0].Key);
    }

    [Fact]
    public void A_flapping_endpoint_is_told_once_for_each_quiet_time()
    {
        using var bench = new Bench(configure: o => o.Quiet = TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++)
        {
            bench.Eject("a");
            bench.Test.Time.Advance(TimeSpan.FromSeconds(3));
            bench.Heal("a");
            bench.Test.Time.Advance(TimeSpan.FromSeconds(3));
        }
        bench.Messages.Select(m => m.Notices[0].IsResolved).Should().Equal(false, true);
        bench.Eject("a");
        bench.Test.Time.Advance(TimeSpan.FromMinutes(10));
        bench.Messages.Should().HaveCount(2, "it is quiet still");
        bench.Test.Time.Advance(TimeSpan.FromHours(1));
        bench.Messages.Should().HaveCount(3, "it is still out when the quiet time ends");
    }

    [Fact]
    public void What_begins_and_ends_before_anybody_is_told_is_told_once_as_ended()
    {
        using var bench = new Bench(configure: o => o.Window = TimeSpan.FromMinutes(10));
        bench.Eject("a");
        bench.Heal("a");
        bench.Test.Time.Advance(TimeSpan.FromMinutes(10));
        bench.Messages.Should().ContainSingle().Which.Notices.Should().ContainSingle().Which.IsResolved.Should().BeTrue();
    }

    [Fact]
    public void A_flood_becomes_a_digest()
    {
        using var bench = new Bench(12, o => o.Window = TimeSpan.FromMinutes(1));
        foreach (var endpoint in "abcdefghijkl")
            bench.Eject(endpoint.ToString());
        bench.Test.Time.Advance(TimeSpan.FromMinutes(1));
        var digest = bench.Messages.Should().ContainSingle().Which;
        digest.IsDigest.Should().BeTrue();
        digest.Notices.Should().HaveCount(12);
        digest.Text.Split('\n').Should().HaveCount(12, "a heading, the first ten, and how many more");
    }

    [Fact]
    public void A_quota_that_is_used_up_needs_attention_until_somebody_puts_it_right()
    {
        using var bench = new Bench();
        bench.Test["a"].Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        bench.Test.Call(new RequestProfile { AffinityKey = "x" });
        for (var i = 0; i < 10; i++)
            bench.Test.Call();
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Texts.Should().Equal("Pool test, endpoint a needs a person's attention (QuotaExhausted (429 insufficient_quota)).");
        bench.Test.Time.Run(() => bench.Test.Pool.BringUpAsync("a").AsTask());
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Messages.Should().HaveCount(2).And.Subject.Last().Notices[0].IsResolved.Should().BeTrue();
    }

    [Fact]
    public void A_budget_that_burns_too_fast_is_told_and_its_end_too()
    {
        using var bench = new Bench(1, pool: o => o.Objective = new ObjectiveOptions { TargetPercent = 99 });
        bench.Lose(30);
        bench.Test.Time.Advance(TimeSpan.FromMinutes(1));
        bench.Texts.Should().Contain(t => t.StartsWith("Pool test burns its error budget too fast (fast: ", StringComparison.Ordinal));
        bench.Test.Time.Advance(TimeSpan.FromHours(2));
        bench.Texts.Should().Contain(t => t.StartsWith("Pool test no longer burns its error budget too fast (fast: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_of_a_budget_s_alerts_has_a_key_of_its_own()
    {
        using var bench = new Bench(1, pool: o => o.Objective = new ObjectiveOptions { TargetPercent = 99 });
        bench.Lose(30);
        bench.Test.Time.Advance(TimeSpan.FromMinutes(1));
        bench.Messages.SelectMany(m => m.Notices).Where(n => n.Kind == AlertKind.BudgetBurn).Select(n => n.Key)
            .Should().BeEquivalentTo("test//BudgetBurn/fast", "test//BudgetBurn/slow", "test//BudgetBurn/creeping");
    }

    [Fact]
    public void Alerts_about_an_endpoint_end_when_it_is_removed()
    {
        using var bench = new Bench(3);
        bench.Eject("a");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Test.Pool.RemoveEndpoint("a");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Messages.Should().HaveCount(2);
        bench.Messages[1].Notices[0].Key.Should().Be(bench.Messages[0].Notices[0].Key);
        bench.Texts.Last().Should().MatchRegex(@"^Pool test, endpoint a was removed or replaced \(ConnectFailed\), after [0-9.]+ s\.$");
    }

    [Fact]
    public void Alerts_about_an_endpoint_end_when_a_reload_gives_its_name_to_another()
    {
        using var bench = new Bench();
        bench.Test["a"].Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        for (var i = 0; i < 10; i++)
            bench.Test.Call();
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Messages.Should().ContainSingle().Which.Notices[0].Kind.Should().Be(AlertKind.NeedsAttention);
        var options = bench.Test.Pool.Options;
        bench.Test.Pool.Update(options.With([new EndpointOptions { Name = "a", Address = "https://another.test" }, .. options.Endpoints.Where(e => e.Name != "a")]));
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Messages.Should().HaveCount(2);
        bench.Messages[1].Notices[0].Should().BeEquivalentTo(new { Kind = AlertKind.NeedsAttention, Endpoint = "a", IsResolved = true, IsGone = true });
    }

    [Fact]
    public async Task An_end_comes_though_one_message_waits_to_be_tried_again_and_another_behind_it()
    {
        var hook = new Hook((HttpStatusCode?)null);
        using var bench = new Bench(3, o => o.AddWebhook(
            new Uri("https://hooks.test"), w => (w.Http, w.Delay, w.MaxDelay) = (new HttpMessageInvoker(hook), TimeSpan.FromHours(1), TimeSpan.FromHours(1))));
        foreach (var endpoint in (string[])["a", "b"])
        {
            bench.Eject(endpoint);
            bench.Test.Time.Advance(TimeSpan.FromSeconds(3));
        }
        bench.Messages.Should().HaveCount(2);
        hook.Bodies.Should().HaveCount(1);
        await Task.Run(bench.Dispatcher.Dispose, Ct).WaitAsync(TimeSpan.FromMinutes(1), Ct);
        hook.Bodies.Should().HaveCount(1);
    }

    [Fact]
    public async Task No_span_names_the_address_of_a_webhook()
    {
        var told = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "System.Net.Http",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (told)
                    told.Add(string.Join('|', span.TagObjects));
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var bench = new Bench();
        using var plain = new HttpMessageInvoker(new SocketsHttpHandler());
        using var alert = new WebhookAlert(new Uri("http://127.0.0.1:9/s3cret-alert"), new WebhookAlertOptions { MaxAttempts = 1 });
        using var recovery = new WebhookRecovery(new Uri("http://127.0.0.1:9/s3cret-recovery"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1:9/plain");
        var member = bench.Test.Pool.GetStatus().Endpoints[0];
        Func<Task>[] posts =
        [
            () => plain.SendAsync(request, Ct),
            () => alert.SendAsync(new AlertMessage([new AlertNotice { Kind = AlertKind.Outage, IsResolved = false, Pool = "p", Detail = "", Since = default, At = default }], default), Ct).AsTask(),
            () => recovery.RunAsync(new EjectionEvidence("p", member.Endpoint, new Fault(FaultKind.ConnectFailed), member.Health, default), Ct).AsTask(),
        ];
        foreach (var post in posts)
            await post.Should().ThrowAsync<HttpRequestException>("nobody listens there");
        lock (told)
        {
            told.Should().Contain(t => t.Contains("/plain", StringComparison.Ordinal), "spans name addresses");
            told.Should().NotContain(t => t.Contains("s3cret", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_receiver_that_fails_is_logged_and_the_others_are_told()
    {
        using var bench = new Bench(configure: o => o.Add((_, _) => throw new InvalidOperationException("full")));
        bench.Eject("a");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Messages.Should().HaveCount(1);
        bench.Logs.Entries.Should().ContainSingle().Which.Message.Should().Be("1 alerts could not be delivered.");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_webhook_is_tried_again_with_backoff_until_it_takes_the_message(bool namesInstant)
    {
        var hook = new Hook(HttpStatusCode.InternalServerError, null, HttpStatusCode.TooManyRequests, HttpStatusCode.OK) { NamesInstant = namesInstant };
        using var bench = new Bench(configure: o => o.AddWebhook(new Uri("https://hooks.test/s3cret"), w =>
        {
            (w.Http, w.Template) = (new HttpMessageInvoker(hook), """{"text":"{{text}}","more":{"s":"{{status}}","n":{"k":"{{key}}"}}}""");
            w.Headers["Authorization"] = "Bearer k3y";
        }));
        bench.Eject("a");
        hook.Time = bench.Test.Time;
        bench.Test.Time.Advance(TimeSpan.FromMinutes(10));
        hook.At.Zip(hook.At.Skip(1), static (a, b) => (b - a).TotalSeconds).Should().Equal([1, 2, 7], "1 s, 2 s, then what it asked for");
        var posted = JsonDocument.Parse(hook.Bodies[^1]).RootElement;
        posted.GetProperty("text").GetString().Should().Be("Pool test, endpoint a is out of service (ConnectFailed).");
        posted.GetProperty("more").GetProperty("s").GetString().Should().Be("firing");
        posted.GetProperty("more").GetProperty("n").GetProperty("k").GetString().Should().Be("test/a/Ejected");
        hook.Authorizations.Should().OnlyContain(a => a == "Bearer k3y");
        bench.Logs.Entries.Should().BeEmpty();
    }

    [Fact]
    public void A_webhook_that_refuses_for_good_is_not_asked_again_and_its_address_is_not_logged()
    {
        var hook = new Hook(HttpStatusCode.Forbidden);
        using var bench = new Bench(configure: o => o.AddWebhook(new Uri("https://hooks.test/s3cret"), w => w.Http = new HttpMessageInvoker(hook)));
        bench.Eject("a");
        bench.Test.Time.Advance(TimeSpan.FromMinutes(5));
        hook.Bodies.Should().HaveCount(1);
        var entry = bench.Logs.Entries.Should().ContainSingle().Which;
        entry.Exception!.Message.Should().Be("The webhook answered 403, at attempt 1.");
        entry.Exception.ToString().Should().NotContain("s3cret");
    }

    [Fact]
    public void What_the_application_changes_after_a_webhook_was_added_takes_no_effect()
    {
        var hook = new Hook(HttpStatusCode.OK);
        WebhookAlertOptions given = null!;
        using var bench = new Bench(configure: o => o.AddWebhook(new Uri("https://hooks.test/s3cret"), w =>
        {
            (w.Http, given) = (new HttpMessageInvoker(hook), w);
            w.Headers["Authorization"] = "Bearer k3y";
        }));
        (given.Template, given.Headers["Authorization"]) = ("changed", "Bearer changed");
        bench.Eject("a");
        bench.Test.Time.Advance(TimeSpan.FromSeconds(10));
        hook.Authorizations.Should().Equal("Bearer k3y");
        hook.Bodies[0].Should().StartWith("{");
    }

    [Theory]
    [InlineData("{\"text\":\"{{txt}}\"}", "*'{{txt}}'*")]
    [InlineData("not json", "*not JSON*")]
    public void A_template_that_cannot_be_filled_is_refused_at_once(string template, string why)
    {
        var add = () => new AlertOptions().AddWebhook(new Uri("https://hooks.test"), w => w.Template = template);
        add.Should().Throw<ArgumentException>().WithMessage(why);
    }

    [Fact]
    public void Quotes_and_line_ends_stay_within_their_string()
    {
        var notice = new AlertNotice { Kind = AlertKind.Ejected, IsResolved = false, Pool = "p\"}", Endpoint = "a\n", Detail = "{{text}}", Since = default, At = default };
        var filled = JsonDocument.Parse(AlertTemplate.Fill(AlertTemplate.Default, new AlertMessage([notice, notice], default))).RootElement;
        filled.GetProperty("pool").GetString().Should().Be("p\"}");
        filled.GetProperty("endpoint").GetString().Should().Be("a\n");
        filled.GetProperty("detail").GetString().Should().Be("{{text}}", "what was filled in is not filled again");
        filled.GetProperty("count").GetString().Should().Be("2");
    }

    [Fact]
    public async Task Alerts_of_a_container_cover_all_its_pools_and_senseless_options_are_refused()
    {
        var told = new TaskCompletionSource<AlertMessage>();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddHaEndpointPool("chat", o =>
        {
            o.Heartbeat.Enabled = false;
            o.Endpoints.Add(new EndpointOptions { Name = "a" });
        });
        AlertOptions given = null!;
        var isLateReceiverTold = false;
        services.AddHaAlerts(o =>
        {
            given = o;
            o.Window = TimeSpan.Zero;
            o.Add((message, _) =>
            {
                told.TrySetResult(message);
                return default;
            });
        });
        given.Add((_, _) =>
        {
            isLateReceiverTold = true;
            return default;
        });
        await using var provider = services.BuildServiceProvider();
        foreach (var hosted in provider.GetServices<IHostedService>())
            await hosted.StartAsync(Ct);
        var pool = provider.GetRequiredService<EndpointPool>();
        for (var i = 0; i < 20; i++)
        {
            await pool.ExecuteAsync(new RequestProfile { MayRepeat = false }, 0, static (attempt, _, _) =>
            {
                attempt.ReportFault(new Fault(FaultKind.ServerError));
                return new ValueTask<int>(0);
            }, Ct);
        }

        (await told.Task.WaitAsync(Ct)).Notices[0].Should().BeEquivalentTo(new { Pool = "chat", Endpoint = "a", Kind = AlertKind.Ejected });
        foreach (var hosted in provider.GetServices<IHostedService>())
            await hosted.StopAsync(Ct);
        isLateReceiverTold.Should().BeFalse("it was added after the alerts");
        var add = () => services.AddHaAlerts(o => o.DigestAbove = 0);
        add.Should().Throw<OptionsValidationException>().WithMessage("*DigestAbove is 0*no receiver is configured*");
    }

    /// <summary>Gives the answers in turn. Null: the connection fails. A 429 asks for a wait of 7 s.</summary>
    private sealed class Hook(params HttpStatusCode?[] answers) : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        public List<string> Authorizations { get; } = [];

        public List<TimeSpan> At { get; } = [];

        public ManualTimeProvider? Time { get; set; }

        /// <summary>Gets whether Retry-After is an instant.</summary>
        public bool NamesInstant { get; init; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Bodies.Add(await request.Content!.ReadAsStringAsync(cancellationToken));
            At.Add(Time?.Elapsed ?? default);
            Authorizations.Add(request.Headers.Authorization?.ToString() ?? "");
            if (answers[Math.Min(Bodies.Count, answers.Length) - 1] is not { } status)
                throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused (hooks.test/s3cret)");
            var response = new HttpResponseMessage(status);
            if (status == HttpStatusCode.TooManyRequests)
                response.Headers.RetryAfter = NamesInstant ? new(Time!.GetUtcNow().AddSeconds(7)) : new(TimeSpan.FromSeconds(7));
            return response;
        }
    }

    [Fact]
    public void A_panel_beside_the_pools_is_sent_when_it_is_not_healthy_and_when_it_is_again()
    {
        using var bench = new Bench();
        var panel = new Backups();
        bench.Test.Time.Run(() =>
        {
            bench.Dispatcher.Watch(panel);
            return Task.CompletedTask;
        });
        Pass();
        bench.Messages.Should().BeEmpty();
        panel.State = HealthStatus.Degraded;
        Pass();
        panel.State = HealthStatus.Unhealthy;
        Pass();
        panel.Failure = new InvalidOperationException("a panel that throws ends nothing");
        Pass();
        (panel.Failure, panel.State) = (null, HealthStatus.Healthy);
        Pass();
        bench.Texts.Should().HaveCount(4).And.StartWith("vault state is degraded (it is Degraded).")
            .And.Contain("vault state is unhealthy (it is Unhealthy).").And.Contain(t => t.StartsWith("vault state has recovered", StringComparison.Ordinal)).And.Contain(t => t.StartsWith("vault state is healthy again", StringComparison.Ordinal));

        void Pass()
        {
            bench.Test.Time.Advance(TimeSpan.FromSeconds(31));
            bench.Test.Time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public void Each_change_of_a_panels_state_is_one_notice()
    {
        using var bench = new Bench();
        var panel = new Backups { State = HealthStatus.Unhealthy };
        bench.Test.Time.Run(() =>
        {
            bench.Dispatcher.Watch(panel);
            return Task.CompletedTask;
        });
        Pass();
        bench.Texts.Should().ContainSingle().Which.Should().StartWith("vault state is unhealthy");
        panel.State = HealthStatus.Healthy;
        Pass();
        bench.Texts.Should().HaveCount(2);
        bench.Texts.Should().Contain(t => t.StartsWith("vault state is healthy again", StringComparison.Ordinal));

        void Pass()
        {
            bench.Test.Time.Advance(TimeSpan.FromSeconds(31));
            bench.Test.Time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    private sealed class Backups : IStatusPanel
    {
        public HealthStatus State { get; set; } = HealthStatus.Healthy;

        public Exception? Failure { get; set; }

        public StatusPanel Read() => Failure is { } failure ? throw failure : new("vault state", State, $"it is {State}", []);
    }
}
