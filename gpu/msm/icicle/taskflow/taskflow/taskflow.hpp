// The part of Taskflow's interface that ICICLE's CPU device uses: tasks without dependencies,
// all run at once, several times if wanted. Written for this purpose; Taskflow itself
// (https://taskflow.github.io) replaces it without a change.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tf {

// Taskflow is a set of tasks. They may run in any order and at the same time.
class Taskflow {
public:
  template <typename F>
  void emplace(F&& task) { tasks.emplace_back(std::forward<F>(task)); }
  void clear() { tasks.clear(); }

private:
  friend class Executor;
  std::vector<std::function<void()>> tasks;
};

// Executor runs sets of tasks on up to `workers` threads, the caller's among them.
class Executor {
public:
  explicit Executor(size_t workers = std::thread::hardware_concurrency()) : workers(std::max<size_t>(workers, 1)) {}

  // run returns when every task has ended. The future is ready; it holds the first exception.
  std::future<void> run(Taskflow& flow)
  {
    std::promise<void> done;
    std::exception_ptr failure;
    std::mutex guard;
    std::atomic<size_t> next{0};
    auto work = [&] {
      for (size_t i; (i = next++) < flow.tasks.size();) {
        try {
          flow.tasks[i]();
        } catch (...) {
          std::lock_guard<std::mutex> lock(guard);
          if (!failure) { failure = std::current_exception(); }
        }
      }
    };
    std::vector<std::thread> threads;
    for (size_t i = 1; i < std::min(workers, flow.tasks.size()); i++) { threads.emplace_back(work); }
    work();
    for (auto& thread : threads) { thread.join(); }
    if (failure) {
      done.set_exception(failure);
    } else {
      done.set_value();
    }
    return done.get_future();
  }

private:
  const size_t workers;
};

} // namespace tf
