#pragma once

#include <functional>
#include <memory>
#include <vector>

namespace cuda_stand_in {

/// Something that the device is asked to do, and what must be done before it.
struct Task {
    /// One attempt; touches the device's memory. None: only a point in the order of things.
    std::function<bool()> work;
    std::vector<std::shared_ptr<Task>> after;
    /// An attempt is false where other processes are still to come; it gets at the memory by itself, and is
    /// made only when the end is asked for.
    bool waits_for_ranks = false;
    bool never_ends = false;
    bool done = false;
};
using TaskPtr = std::shared_ptr<Task>;

/// Takes in a task. It is done when its end is asked for; earlier only as VAE_DIST_STAND_IN_ORDER says.
void submit(const TaskPtr& task);

/// Does it, and what it comes after. False where something of that never ends.
bool finish(const TaskPtr& task);
/// Does as much of that as can be done without waiting for other ranks. False where that is not all.
bool try_to_finish(const TaskPtr& task);
/// All that was taken in and can end.
void finish_all();
/// What never ends becomes nothing.
void call_off_endless();

}  // namespace cuda_stand_in
