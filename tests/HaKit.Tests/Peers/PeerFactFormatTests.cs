using System.Text;
using HaKit.Peers;

namespace HaKit.Tests.Peers;

/// <summary>Tests the byte format of facts: this version reads what it writes, and ignores what it does not know.</summary>
public sealed class PeerFactFormatTests
{
    private static readonly PeerFact[] All =
    [
        new() { Kind = PeerFactKind.Cooldown, Subject = "0a1b", Replica = "r1", Version = 7, Length = TimeSpan.FromSeconds(60), Fault = FaultKind.Throttled, Reach = FaultReach.Account, StatusCode = 429 },
        new() { Kind = PeerFactKind.Opinion, Subject = "e", Replica = "r1", Version = 8, Length = TimeSpan.FromSeconds(30), Fingerprint = "f", Opinion = PeerOpinion.Ejected, Level = ProbeLevel.Generating, Fault = FaultKind.ServerError },
        new() { Kind = PeerFactKind.TrialFailed, Subject = "e", Replica = "r1", Version = 9, Length = TimeSpan.FromSeconds(30), Fingerprint = "f" },
        new() { Kind = PeerFactKind.Recovered, Subject = "e", Replica = "r1", Version = 10, Length = TimeSpan.FromSeconds(30), Fingerprint = "f" },
        new() { Kind = PeerFactKind.Usage, Subject = "2c3d", Replica = "r1", Version = 12, Length = TimeSpan.FromSeconds(60), Requests = 40, Tokens = 5_000_000_000 },
        new() { Kind = PeerFactKind.TrialBegun, Subject = "e", Replica = "r1", Version = 13, Length = TimeSpan.FromSeconds(30), Fingerprint = "f" },
        new() { Kind = PeerFactKind.Order, Subject = "", Replica = "r1", Version = 11, Length = TimeSpan.FromDays(90), Order = new SignedOrder(PoolOrder.Promote, 2, "Ada", "maintenance", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "c2ln") },
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, All.Length)];

    [Fact]
    public void Every_kind_is_among_the_facts_that_are_written_and_read() =>
        All.Select(static f => f.Kind).Append(PeerFactKind.Unknown).Should().BeEquivalentTo(Enum.GetValues<PeerFactKind>());

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(Indices))]
    public Task What_is_written_is_read(int index)
    {
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(All[index])), out var read).Should().BeTrue();
        read.Should().Be(All[index]);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(Indices))]
    public Task A_later_format_with_more_members_is_read_as_far_as_it_is_known(int index)
    {
        const int later = PeerFact.CurrentFormat + 1;
        var text = PeerFactFormat.Identity(All[index]).Replace(
            $"{{\"format\":{PeerFact.CurrentFormat},", $"{{\"format\":{later},\"colour\":{{\"a\":[1]}},", StringComparison.Ordinal);
        text.Should().Contain("colour");
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(text), out var read).Should().BeTrue();
        read.Should().Be(All[index] with { Format = later });
        return Task.CompletedTask;
    }

    // The bytes of facts as the previous format wrote them.
    [Theory(Timeout = 10_000)]
    [InlineData(0, """{"format":1,"kind":"Cooldown","subject":"0a1b","replica":"r1","version":7,"length":60000,"fault":"Throttled","reach":"Account","status":429}""")]
    [InlineData(1, """{"format":1,"kind":"Opinion","subject":"e","replica":"r1","version":8,"length":30000,"fingerprint":"f","opinion":"Ejected","level":"Generating","fault":"ServerError"}""")]
    [InlineData(2, """{"format":1,"kind":"TrialFailed","subject":"e","replica":"r1","version":9,"length":30000,"fingerprint":"f"}""")]
    [InlineData(3, """{"format":1,"kind":"Recovered","subject":"e","replica":"r1","version":10,"length":30000,"fingerprint":"f"}""")]
    [InlineData(6, """{"format":1,"kind":"Order","subject":"","replica":"r1","version":11,"length":7776000000,"order":{"order":"Promote","tier":2,"by":"Ada","reason":"maintenance","givenAt":"2026-01-02T03:04:05+00:00","signature":"c2ln"}}""")]
    public Task What_the_previous_format_wrote_is_read(int index, string text)
    {
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(text), out var read).Should().BeTrue();
        read.Should().Be(All[index] with { Format = 1 });
        PeerFactFormat.Identity(read!).Should().Be(text, "an order of the previous format is handed on as it was, so that its signature and identity stay");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData("""{"format":2,"kind":"Weather","subject":"e","replica":"r","version":1,"length":5}""")]
    [InlineData("""{"format":1,"kind":"3","subject":"e","replica":"r","version":1,"length":5}""")]
    [InlineData("""{"kind":"Opinion","subject":"e","replica":"r"}""")]
    [InlineData("""{"kind":"Opinion","subject":7,"replica":"r","version":1,"length":5}""")]
    [InlineData("""{"kind":"Order","subject":"e","replica":"r","version":1,"length":5}""")]
    [InlineData("""{"kind":"Opinion","subject":"e","replica":"r","version":1e99,"length":5}""")]
    [InlineData("""{"kind":"Opinion","subject":"e","replica":"r","version":1,"length":9223372036854775807}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{")]
    public Task What_is_no_fact_is_ignored(string text)
    {
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(text), out var read).Should().BeFalse();
        read.Should().BeNull();
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public Task Names_have_at_most_256_characters(int length, bool isRead)
    {
        foreach (var fact in new[] { All[1] with { Subject = new string('s', length) }, All[1] with { Fingerprint = new string('f', length) }, All[^1] with { Order = All[^1].Order! with { Reason = new string('r', length) } } })
            PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(fact)), out _).Should().Be(isRead);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    public Task A_fact_has_at_most_4096_bytes(int bytes, bool isRead)
    {
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(All[1]).PadRight(bytes)), out _).Should().Be(isRead);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData("\"opinion\":\"Ejected\"", "\"opinion\":\"2\"")]
    [InlineData("\"opinion\":\"Ejected\"", "\"opinion\":\"99\"")]
    [InlineData("\"opinion\":\"Ejected\"", "\"opinion\":2")]
    [InlineData("\"opinion\":\"Ejected\"", "\"opinion\":\"ejected\"")]
    [InlineData("\"opinion\":\"Ejected\"", "\"opinion\":\"Other\"")]
    public Task A_value_that_is_not_known_is_as_none(string known, string unknown)
    {
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(All[1]).Replace(known, unknown, StringComparison.Ordinal)), out var read).Should().BeTrue();
        read.Should().Be(All[1] with { Opinion = PeerOpinion.None });
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task An_order_without_a_tier_and_a_reason_is_read_as_it_was_written()
    {
        var order = All[^1] with { Order = All[^1].Order! with { Order = PoolOrder.FailBack, Tier = null, Reason = null } };
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(order)), out var read).Should().BeTrue();
        read.Should().Be(order);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task Members_that_may_be_missing_have_their_defaults()
    {
        PeerFactFormat.TryRead("""{"kind":"Usage","subject":"e","replica":"r","version":1,"length":5}"""u8, out var read).Should().BeTrue();
        read.Should().Be(new PeerFact { Kind = PeerFactKind.Usage, Subject = "e", Replica = "r", Version = 1, Length = TimeSpan.FromMilliseconds(5) });
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task There_is_no_identity_without_a_fact()
    {
        FluentActions.Invoking(static () => PeerFactFormat.Identity(null!)).Should().Throw<ArgumentNullException>().WithParameterName("fact");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task No_bytes_make_the_reader_throw()
    {
        var random = new Random(5);
        foreach (var fact in All)
        {
            for (var i = 0; i < 2000; i++)
            {
                var bytes = Encoding.UTF8.GetBytes(PeerFactFormat.Identity(fact));
                for (var j = 0; j <= i % 4; j++)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                PeerFactFormat.TryRead(bytes.AsSpan(0, random.Next(bytes.Length + 1)), out _);
            }
        }

        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_signature_holds_for_nothing_but_the_order_the_pool_and_the_key_that_it_was_made_for()
    {
        var signature = new OrderSignature("0123456789abcdef", "shop/production");
        var order = All[^1];
        var signed = order with { Order = order.Order! with { Signature = signature.Sign(order) } };
        signature.IsValid(signed).Should().BeTrue();
        signature.IsValid(signed with { Left = TimeSpan.FromDays(1) }).Should().BeTrue("time passes");
        PeerFact[] forged =
        [
            order, signed with { Subject = "e" }, signed with { Replica = "r2" }, signed with { Version = 12 }, signed with { Length = TimeSpan.FromDays(89) },
            signed with { Order = signed.Order! with { Order = PoolOrder.FailBack } }, signed with { Order = signed.Order! with { Tier = null } },
            signed with { Order = signed.Order! with { By = "Eve" } }, signed with { Order = signed.Order! with { Reason = null } },
            signed with { Order = signed.Order! with { GivenAt = signed.Order.GivenAt.AddDays(1) } },
        ];
        forged.Should().OnlyContain(f => !signature.IsValid(f));
        new OrderSignature("0123456789abcdeF", "shop/production").IsValid(signed).Should().BeFalse();
        new OrderSignature("0123456789abcdef", "shop/staging").IsValid(signed).Should().BeFalse();
        return Task.CompletedTask;
    }
}
