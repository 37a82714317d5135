namespace HaKit.Testing;

/// <summary>
/// The armed timers, ordered by due time and order of arming, in a four-ary heap. Each timer stores its index in the heap, so re-arming and disarming take
/// O(log n) and leave no entries in the heap. Not thread-safe; the clock holds its lock.
/// </summary>
internal sealed class TimerHeap
{
    private const int Arity = 4;

    private Slot[] _slots = new Slot[64];

    public int Count { get; private set; }

    public long NextDue => Count == 0 ? long.MaxValue : _slots[0].Due;

    public void Arm(ManualTimer timer, long due, long order)
    {
        var slot = new Slot(due, order, timer);
        var index = timer.HeapIndex;
        if (index < 0)
        {
            if (Count == _slots.Length)
                Array.Resize(ref _slots, Count * 2);
            SiftUp(Count++, slot);
        }
        else if (slot.IsBefore(_slots[index]))
        {
            SiftUp(index, slot);
        }
        else
        {
            SiftDown(index, slot);
        }
    }

    public void Disarm(ManualTimer timer)
    {
        var index = timer.HeapIndex;
        if (index < 0)
            return;
        timer.HeapIndex = -1;
        var last = _slots[--Count];
        _slots[Count] = default;
        if (index == Count)
            return;
        if (index > 0 && last.IsBefore(_slots[(index - 1) / Arity]))
            SiftUp(index, last);
        else
            SiftDown(index, last);
    }

    public ManualTimer TakeNext(out long due)
    {
        var first = _slots[0];
        due = first.Due;
        Disarm(first.Timer);
        return first.Timer;
    }

    private void SiftUp(int index, Slot slot)
    {
        while (index > 0)
        {
            var parent = (index - 1) / Arity;
            if (!slot.IsBefore(_slots[parent]))
                break;
            Place(index, _slots[parent]);
            index = parent;
        }

        Place(index, slot);
    }

    private void SiftDown(int index, Slot slot)
    {
        while (true)
        {
            var child = index * Arity + 1;
            if (child >= Count)
                break;
            var end = Math.Min(child + Arity, Count);
            var least = child;
            for (var i = child + 1; i < end; i++)
            {
                if (_slots[i].IsBefore(_slots[least]))
                    least = i;
            }

            if (!_slots[least].IsBefore(slot))
                break;
            Place(index, _slots[least]);
            index = least;
        }

        Place(index, slot);
    }

    private void Place(int index, Slot slot)
    {
        _slots[index] = slot;
        slot.Timer.HeapIndex = index;
    }

    private readonly record struct Slot(long Due, long Order, ManualTimer Timer)
    {
        public bool IsBefore(in Slot other) => Due != other.Due ? Due < other.Due : Order < other.Order;
    }
}
