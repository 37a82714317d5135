namespace HaKit.Availability.Numerics;

/// <summary>Continuous-time chains given by their rates, solved without subtractions, so that very small probabilities keep their precision.</summary>
internal static class MarkovChain
{
    /// <summary>Returns the steady state, calculated by GTH elimination (Grassmann, Taksar, Heyman, Operations Research 33, 1985). The chain must be irreducible.</summary>
    public static double[] SteadyState(double[,] rates)
    {
        var q = (double[,])rates.Clone();
        var n = q.GetLength(0);
        for (var s = n - 1; s > 0; s--)
        {
            var leaving = 0.0;
            for (var j = 0; j < s; j++)
                leaving += q[s, j];
            for (var i = 0; i < s; i++)
            {
                if (q[i, s] == 0)
                    continue;
                q[i, s] /= leaving;
                for (var j = 0; j < s; j++)
                {
                    if (i != j)
                        q[i, j] += q[i, s] * q[s, j];
                }
            }
        }

        var weights = new double[n];
        weights[0] = 1;
        var total = 1.0;
        for (var s = 1; s < n; s++)
        {
            for (var i = 0; i < s; i++)
                weights[s] += weights[i] * q[i, s];
            total += weights[s];
        }

        for (var s = 0; s < n; s++)
            weights[s] /= total;
        return weights;
    }

    /// <summary>Returns the mean time from state 0 until absorption. <paramref name="absorbing"/> holds the rate of absorption of each state.</summary>
    public static double MeanTimeToAbsorption(double[,] rates, double[] absorbing)
    {
        var q = (double[,])rates.Clone();
        var exit = (double[])absorbing.Clone();
        var n = exit.Length;
        var time = new double[n];
        Array.Fill(time, 1.0);
        for (var s = n - 1; s > 0; s--)
        {
            var leaving = exit[s];
            for (var j = 0; j < s; j++)
                leaving += q[s, j];
            for (var i = 0; i < s; i++)
            {
                var share = q[i, s] / leaving;
                if (share == 0)
                    continue;
                for (var j = 0; j < s; j++)
                {
                    if (i != j)
                        q[i, j] += share * q[s, j];
                }

                exit[i] += share * exit[s];
                time[i] += share * time[s];
            }
        }

        return time[0] / exit[0];
    }
}
