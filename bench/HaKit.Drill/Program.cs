using HaKit.Drills;

return await Evidence.RunAsync(args);
