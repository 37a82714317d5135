namespace HaKit.Availability.Tests;

/// <summary>Solves small linear systems by Gaussian elimination with pivots: slower and less accurate than the library, and independent of it.</summary>
internal static class LinearSystem
{
    public static double[] Solve(double[,] matrix, double[] right)
    {
        var n = right.Length;
        var (a, b) = ((double[,])matrix.Clone(), (double[])right.Clone());
        for (var column = 0; column < n; column++)
        {
            var pivot = column;
            for (var row = column + 1; row < n; row++)
                pivot = Math.Abs(a[row, column]) > Math.Abs(a[pivot, column]) ? row : pivot;
            for (var j = 0; j < n; j++)
                (a[column, j], a[pivot, j]) = (a[pivot, j], a[column, j]);
            (b[column], b[pivot]) = (b[pivot], b[column]);
            for (var row = 0; row < n; row++)
            {
                if (row == column)
                    continue;
                var factor = a[row, column] / a[column, column];
                for (var j = column; j < n; j++)
                    a[row, j] -= factor * a[column, j];
                b[row] -= factor * b[column];
            }
        }

        for (var i = 0; i < n; i++)
            b[i] /= a[i, i];
        return b;
    }

    /// <summary>Returns the probabilities for which the flow into each state is the flow out of it. They add up to one.</summary>
    public static double[] SteadyState(double[,] rates)
    {
        var n = rates.GetLength(0);
        var (system, right) = (new double[n, n], new double[n]);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                system[j, i] += rates[i, j];
                system[i, i] -= rates[i, j];
            }
        }

        for (var i = 0; i < n; i++)
            system[0, i] = 1;
        right[0] = 1;
        return Solve(system, right);
    }
}
