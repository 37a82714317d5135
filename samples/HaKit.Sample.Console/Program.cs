using HaKit.Sample;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};
return await Commands.RunAsync(args, Console.Out, Console.Error, interrupted.Token);
