package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Arena;
import io.basin.device.Augmentation;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.PredictionSum;
import io.basin.device.Sets;
import io.basin.device.Subject;
import io.basin.device.Weights;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is closed says so, by name, whatever was closed first; it neither computes on nor ends the process. */
class ClosedTest {
    private static final String ALL = "io.basin.device.Subject#all";
    static final Schedule SCHEDULE = Schedule.constant(8, 0.01);

    static Training session(Device device, Run data) {
        Augmentation augmentation = data.setup.batch().augmentation();
        Averaging none = Averaging.none(SCHEDULE.steps());
        return Sessions.session(
                device, data.setup.graph(), data.images, KillableRun.settings(), SCHEDULE, none, 5, augmentation);
    }

    private static void refused(String what, Executable use) {
        IllegalStateException e = assertThrows(IllegalStateException.class, use);
        assertTrue(e.getMessage().contains(what) && e.getMessage().contains("is closed"), what + ": " + e.getMessage());
    }

    /** A net in training with everything that is made on a device, on one that is closed at the end. */
    private static void with(Subject subject, Consumer<Run> trial) {
        Device device = subject.open();
        Run run = Setup.of(UserNets.plain(), 8).on(device);
        trial.accept(run);
        run.close();
        run.close();
        assertEquals(0, device.liveBytes());
        device.close();
        device.close();
    }

    private static Evaluator evaluator(Run run) {
        return new Evaluator(run.model, run.images, Sets.plain(7, 3));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aTrainingIsRefusedWhicheverPartOfItWasClosedFirst(Subject subject) {
        List<Consumer<Run>> parts = List.of(
                run -> run.storage.close(),
                run -> run.images.close(),
                run -> run.control.close(),
                run -> run.plan.close());
        for (Consumer<Run> part : parts) {
            with(subject, run -> {
                Device.Recording step = run.device.record(run::oneStep);
                step.replay();
                part.accept(run);
                refused("", step::replay);
                refused("", run::oneStep);
                step.close();
            });
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aClosedSessionOrRecordingSaysSo(Subject subject) {
        with(subject, run -> {
            Training session = session(run.device, run);
            session.advance();
            session.close();
            session.close();
            refused("Training", session::advance);
            refused("Training", session::totals);
            refused("Training", session::startEpoch);
            refused("Training", () -> session.rate(0));
            refused("Model", () -> session.model().store().live());
            Device.Recording step = run.device.record(run::oneStep);
            step.close();
            step.close();
            refused("the recording", step::replay);
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aSessionWhoseImagesOrStorageAreClosedNamesThem(Subject subject) {
        for (boolean images : new boolean[] {true, false}) {
            with(subject, run -> {
                Training session = session(run.device, run);
                session.advance();
                if (images) run.images.close();
                else session.model().store().close();
                refused(images ? "the image set" : "the memory of", session::advance);
                assertEquals(1, session.step());
                session.close();
            });
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aClosedEvaluatorAndWeightsThatAreClosedSaySo(Subject subject) {
        with(subject, run -> {
            Evaluator evaluator = evaluator(run);
            Weights copy = run.storage.copy(run.device, run.storage.live());
            evaluator.evaluate(copy);
            copy.close();
            copy.close();
            // The plan is still bound to them.
            refused("the memory of PARAMS", () -> evaluator.evaluate(copy));
            refused("", () -> evaluator.refresh(copy, Evaluator.Refresh.EXACT, pass -> {}));
            PredictionSum sum = evaluator.predictionSum();
            evaluator.accumulate(run.storage.live(), 1, sum);
            evaluator.close();
            evaluator.close();
            Weights live = run.storage.live();
            refused("Evaluator", () -> evaluator.evaluate(live));
            refused("Evaluator", () -> evaluator.accumulate(live, 1, sum));
            refused("Evaluator", () -> evaluator.predict(List.of(live), (m, first, rows, p) -> {}));
            refused("Evaluator", evaluator::predictionSum);
            sum.close();
            sum.close();
            refused("the prediction sum", sum::sums);
            refused("the prediction sum", sum::likeliest);
            refused("the prediction sum", sum::elected);
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void whatTheDeviceHandsOutSaysSo(Subject subject) {
        with(subject, run -> {
            Device device = run.device;
            Memory memory = device.allocate(64);
            Memory other = device.allocate(64);
            Coefficients c = new Coefficients(device, null, new double[] {1});
            Runnable combine = device.arenas().weightedSum(List.of(memory), c, other);
            combine.run();
            memory.close();
            memory.close();
            ByteBuffer bytes = ByteBuffer.allocateDirect(64);
            refused("memory", () -> device.upload(memory, 0, bytes));
            refused("memory", () -> device.download(memory, 0, bytes));
            refused("memory", () -> device.read(memory, 0, 8));
            refused("memory", () -> device.copy(memory, other));
            refused("a point's memory", combine::run);
            c.close();
            c.close();
            refused("the table of coefficients", () -> c.set(1));
            other.close();
            Runnable tick = device.arenas().advance(run.control);
            run.control.close();
            refused("the control block", tick::run);
            refused("the control block", run.control::read);
            refused("the control block", () -> run.control.start(0));
            run.plan.close();
            refused("the plan", run.plan::forward);
            refused("the plan", run.plan::backward);
            refused("the plan", () -> run.plan.use(run.storage.live()));
            run.storage.close();
            refused("ParameterStore", () -> run.storage.memory(Arena.PARAMS));
            refused("ParameterStore", () -> run.storage.blank(device));
            refused("ParameterStore", () -> run.storage.allocate(device, true));
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void nothingComputesOnADeviceThatIsClosedAndAllOfItCanStillBeClosed(Subject subject) {
        Device device = subject.open();
        Run run = Setup.of(UserNets.plain(), 8).on(device);
        Device.Recording step = device.record(run::oneStep);
        Training session = session(device, run);
        Evaluator evaluator = evaluator(run);
        Weights live = run.storage.live();
        Images images = run.images;
        step.replay();
        device.close();
        List<Executable> uses = List.of(
                step::replay,
                session::advance,
                run::oneStep,
                () -> evaluator.evaluate(live),
                () -> run.control.read(),
                () -> device.allocate(8),
                () -> device.arenas().predictionSum(2, 2),
                () -> device.record(() -> {}),
                () -> device.arenas().advance(run.control).run(),
                () -> run.storage.copy(device, live),
                () -> session(device, run));
        for (Executable use : uses) refused("the " + subject.provider().name() + " device", use);
        evaluator.close();
        session.close();
        step.close();
        run.close();
        images.close();
        assertEquals(0, device.liveBytes());
    }

    /** Called from within a pass, where it cannot wait for the pass. */
    @ParameterizedTest
    @MethodSource(ALL)
    void whatIsClosedInTheMiddleOfAPassEndsIt(Subject subject) {
        with(subject, run -> {
            Evaluator evaluator = evaluator(run);
            IntConsumer closing = pass -> evaluator.close();
            refused("", () -> evaluator.refresh(run.storage.live(), Evaluator.Refresh.EXACT, closing));
        });
    }
}
