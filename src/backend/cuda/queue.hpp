#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <vector>

#include "backend/cuda/handles.hpp"

namespace vae_dist {

/// What a device is asked to do, in order. Three streams: kernels and products go to one, copies of uploads
/// to another, so that the next ones travel while kernels run, and what a library for communication queues to
/// a third; events order them. Nothing here waits for the device but `wait` and, where it has fallen far
/// behind, `upload`.
///
/// What is asked for within `repeatable` becomes a CUDA graph when it is asked for a second time, and one
/// launch of that graph from then on: the calls are made all the same, but only tell what has changed.
class Queue {
 public:
    /// Work is for `device`, which becomes this thread's.
    explicit Queue(int device);
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    cudaStream_t stream() const { return compute_.get(); }

    /// Copies arrays of the host, one after the other, to device memory of this queue's, each 256-byte
    /// aligned; returns where. They are there for what is asked for until the next upload. The host's arrays
    /// may change at once.
    std::vector<const std::byte*> upload(std::initializer_list<std::span<const std::byte>> arrays);

    /// Copies `from` of the host to `to` of the device, in the order of what is asked for; the host's array
    /// may change at once. Not within `repeatable`.
    void copy_in(std::byte* to, std::span<const std::byte> from);
    /// Copies to the host and waits for it. Not within `repeatable`.
    void copy_out(std::span<std::byte> to, const std::byte* from);

    // --- Points in the order of what is asked for
    using Mark = std::uint64_t;
    /// What was asked for before.
    Mark mark();
    /// Whether that is done.
    bool has_passed(Mark mark);
    void wait(Mark mark);
    /// How `wait` waits: see DeviceBackend.
    using Waiter = std::function<void(const std::function<bool()>& is_so)>;
    void wait_by(Waiter waiter) { waiter_ = std::move(waiter); }

    // --- Communication
    /// Calls queue(stream) for what is to begin after all that was asked for so far.
    void communicate(const std::function<void(cudaStream_t)>& queue);
    /// What is asked for from here on begins after all that was communicated.
    void join_communication();

    // --- Graphs
    /// Calls body(). Calls with the same key ask for the same things of the same shapes, in the same order;
    /// arguments of kernels may differ.
    void repeatable(std::uint64_t key, const std::function<void()>& body);
    /// Recorded graphs go; the same keys make new ones.
    void forget_graphs() { recordings_.clear(); }
    /// Memory goes that recorded graphs may use: they go, too. Within what is repeated it must not.
    void lose_memory();
    /// How many times it has.
    std::int64_t memory_losses() const { return memory_losses_; }
    /// Whether something is asked for within `repeatable` that is, or becomes, part of a graph.
    bool repeats() const { return mode_ != Mode::direct; }
    /// How many times a graph was launched.
    std::int64_t graph_launches() const { return graph_launches_; }

    /// A kernel whose one argument is `bytes` bytes at `argument`; `launch` puts it into the stream.
    template <class Launch>
    void kernel(const void* function, dim3 grid, dim3 block, const void* argument, std::size_t bytes,
                const Launch& launch) {
        if (mode_ == Mode::repeating) return repeat_kernel(function, grid, block, argument, bytes);
        launch(stream());
        if (mode_ == Mode::recording) record_kernel(function, grid, block, argument, bytes);
    }
    /// Anything else that is put into the stream; `what` and `where` say what, and must not change between
    /// repetitions.
    template <class Launch>
    void other(const char* what, const void* where, const Launch& launch) {
        if (mode_ == Mode::repeating) return repeat_other(what, where);
        launch(stream());
        if (mode_ == Mode::recording) record_other(what, where);
    }

 private:
    enum class Mode { direct, recording, repeating };

    /// Pinned memory, and memory of the device for its copy.
    struct Slot {
        std::byte* host = nullptr;
        std::byte* device = nullptr;
        std::size_t bytes = 0;
        Event copied;
        Mark used = 0;  ///< what uses it was asked for before this mark; 0: not known yet
    };

    /// One of the calls that a graph stands for.
    struct Step {
        const void* function = nullptr;  ///< of a kernel
        dim3 grid, block;
        cudaGraphNode_t node = nullptr;
        std::vector<std::byte> argument;
        const char* what = nullptr;  ///< of anything else
        const void* where = nullptr;
    };
    struct Recording {
        std::vector<Step> steps;
        CudaGraph graph;  ///< its nodes are what the steps call them by
        GraphExec executable;
    };

    Slot& free_slot(std::size_t bytes);
    void allocate(Slot& slot, std::size_t bytes);
    void release(Slot& slot) const;
    void mark_used_slots();
    void wait_for(cudaEvent_t event);

    void record(Recording& recording, const std::function<void()>& body);
    void launch(Recording& recording);
    void record_kernel(const void* function, dim3 grid, dim3 block, const void* argument, std::size_t bytes);
    void record_other(const char* what, const void* where);
    void repeat_kernel(const void* function, dim3 grid, dim3 block, const void* argument, std::size_t bytes);
    void repeat_other(const char* what, const void* where);
    Step& next_step();

    Stream compute_;
    Stream copies_;
    Stream communication_;
    Event forked_;  ///< of the compute stream, for the communication's
    Event joined_;  ///< the other way round

    std::deque<Slot> slots_;
    std::vector<Slot*> in_use_;  ///< by what was asked for since the last mark of slots
    std::deque<Slot*> idle_;     ///< the others, in the order of their marks
    Mark last_mark_ = 0;
    std::map<Mark, Event> marks_;  ///< not yet known to have passed
    std::vector<Event> spare_events_;
    Waiter waiter_;

    Mode mode_ = Mode::direct;
    std::map<std::uint64_t, Recording> recordings_;  ///< a graph where it was asked for twice
    Recording* current_ = nullptr;
    bool is_to_forget_ = false;  ///< the recordings, once the current one has ended
    std::int64_t memory_losses_ = 0;
    std::size_t next_ = 0;               ///< step of the current recording
    cudaEvent_t last_upload_ = nullptr;  ///< what the graph that is made or changed waits for
    std::int64_t graph_launches_ = 0;
};

}  // namespace vae_dist
