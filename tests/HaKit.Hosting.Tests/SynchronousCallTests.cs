using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Hosting.Tests;

/// <summary>A synchronous call does not deadlock, even if its handlers or its credential source await, on any thread.</summary>
public sealed class SynchronousCallTests
{
    private static readonly string[] s_places = ["a context of one thread", "an exclusive scheduler", "both"];

    public static TheoryData<string, bool> Cases => [.. from place in s_places from pipeline in (bool[])[false, true] select new TheoryDataRow<string, bool>(place, pipeline)];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Cases))]
    public async Task A_synchronous_call_goes_on(string place, bool pipeline)
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await FakeAiServer.StartAsync(cancellationToken: token);
        var services = new ServiceCollection();
        services.AddHaEndpointPool("p", options =>
        {
            options.Heartbeat.Enabled = false;
            options.Endpoints.Add(new EndpointOptions { Name = "a", Address = server.OpenAIAddress.ToString() });
        }).UseCredential("a", static async (_, cancelled) =>
        {
            await Task.Delay(1, cancelled); // the code continues in the context of its caller, as in many applications
            return "k";
        });
        var client = services.AddHttpClient("c", http => http.BaseAddress = server.OpenAIAddress);
        if (pipeline)
            client.AddResilienceHandler("x", static (builder, context) => builder.AddHaEndpointFailover(context.ServiceProvider, "p"));
        else
            client.AddHaEndpointPoolHandler("p").AddHttpMessageHandler(static () => new Awaiting());
        await using var provider = services.BuildServiceProvider();
        using var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("c");

        var call = RunAt(place, () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, server.OpenAIAddress + "/chat/completions")
            {
                Content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", System.Text.Encoding.UTF8, "application/json"),
            };
            using var response = http.Send(request, CancellationToken.None);
            return (int)response.StatusCode;
        });

        (await call.WaitAsync(TimeSpan.FromSeconds(30), token)).Should().Be(200);
    }

    // Work that is posted to the context never runs, and the scheduler runs one task at a time: the task that blocks in the call.
    private static Task<int> RunAt(string place, Func<int> call)
    {
        var done = new TaskCompletionSource<int>();
        if (place == "a context of one thread")
            new Thread(Run) { IsBackground = true }.Start();
        else
            _ = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.None, new ConcurrentExclusiveSchedulerPair(new OwnThreads()).ExclusiveScheduler);
        return done.Task;

        void Run()
        {
            if (place != "an exclusive scheduler")
                SynchronizationContext.SetSynchronizationContext(new NeverRunning());
            try
            {
                done.SetResult(call());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }
    }

    private sealed class Awaiting : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(1, cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class NeverRunning : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>Runs each task on its own thread, so that a blocked task takes no thread of the thread pool.</summary>
    private sealed class OwnThreads : TaskScheduler
    {
        protected override void QueueTask(Task task) => new Thread(() => TryExecuteTask(task)) { IsBackground = true }.Start();

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
