using HaKit.Tool;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // The first interrupt lets the command end in an orderly way; the second interrupt ends the process.
    pressed.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
};
return await HakitTool.RunAsync(args, Console.Out, Console.Error, interrupted.Token);
