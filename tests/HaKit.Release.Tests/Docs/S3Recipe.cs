using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using HaKit.Continuity;

namespace HaKit.Release.Tests;

public sealed class S3Destination(IAmazonS3 s3, string bucket) : IVaultDestination
{
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            await s3.PutObjectAsync(new() { BucketName = bucket, Key = name, InputStream = new MemoryStream(content.ToArray()), IfNoneMatch = "*" }, cancellationToken);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }

    public async ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await s3.GetObjectAsync(bucket, name, cancellationToken);
            var content = new MemoryStream();
            await answer.ResponseStream.CopyToAsync(content, cancellationToken);
            return content.ToArray();
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var item in s3.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = bucket, Prefix = prefix }).S3Objects.WithCancellation(cancellationToken))
            names.Add(item.Key);
        return names;
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => await s3.DeleteObjectAsync(bucket, name, cancellationToken);
}
