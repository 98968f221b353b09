#include "work.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <unordered_set>

#include "device_memory.hpp"
#include "environment.hpp"

namespace cuda_stand_in {

namespace {

std::vector<TaskPtr>& pending() {
    static std::vector<TaskPtr> the;
    return the;
}

std::mt19937& generator() {
    static std::mt19937 the(order_seed());
    return the;
}

// Some task before this one that is not done; that which came last first, so that what nobody orders happens
// in another order than it was asked for.
TaskPtr undone_before(const Task& task) {
    std::vector<TaskPtr> undone;
    for (const TaskPtr& before : task.after)
        if (!before->done) undone.push_back(before);
    if (undone.empty()) return nullptr;
    if (order() == Order::random) return undone[generator()() % undone.size()];
    return undone.back();
}

template <class Predicate>
bool any_before(const TaskPtr& task, const Predicate& is_so) {
    std::unordered_set<const Task*> seen;
    std::vector<const Task*> open = {task.get()};
    while (!open.empty()) {
        const Task* const now = open.back();
        open.pop_back();
        if (now->done || !seen.insert(now).second) continue;
        if (is_so(*now)) return true;
        for (const TaskPtr& before : now->after)
            open.push_back(before.get());
    }
    return false;
}

void finish_early(const TaskPtr& task) {
    const auto must_wait = [](const Task& t) { return t.waits_for_ranks || t.never_ends; };
    if (!any_before(task, must_wait)) finish(task);
}

void forget_done() {
    std::erase_if(pending(), [](const TaskPtr& task) { return task->done; });
}

}  // namespace

void submit(const TaskPtr& task) {
    pending().push_back(task);
    if (order() == Order::eager) {
        finish_early(task);
    } else if (order() == Order::random && generator()() % 2 == 0) {
        finish_early(pending()[generator()() % pending().size()]);
    }
    if (pending().size() % 64 == 0 || order() != Order::late) forget_done();
}

namespace {

void set_done(Task& task) {
    task.done = true;
    task.work = nullptr;
    task.after.clear();
}

}  // namespace

bool try_to_finish(const TaskPtr& task) {
    if (any_before(task, [](const Task& t) { return t.never_ends; })) return false;
    std::optional<DeviceAccess> access;
    std::vector<TaskPtr> open = {task};
    while (!open.empty()) {
        const TaskPtr now = open.back();
        if (now->done) {
            open.pop_back();
        } else if (TaskPtr before = undone_before(*now)) {
            open.push_back(std::move(before));
        } else if (now->waits_for_ranks) {
            if (!now->work()) return false;
            set_done(*now);
        } else {
            if (now->work && !access) access.emplace();
            if (now->work) now->work();
            set_done(*now);
        }
    }
    return true;
}

bool finish(const TaskPtr& task) {
    while (!try_to_finish(task)) {
        if (any_before(task, [](const Task& t) { return t.never_ends; })) return false;
        std::this_thread::yield();
    }
    return true;
}

void finish_all() {
    const std::vector<TaskPtr> all = pending();  // what is done may take in more
    for (const TaskPtr& task : all)
        finish(task);
    forget_done();
}

void call_off_endless() {
    for (const TaskPtr& task : pending()) {
        if (!task->never_ends) continue;
        task->never_ends = false;
        task->waits_for_ranks = false;
        task->work = nullptr;
    }
}

}  // namespace cuda_stand_in
